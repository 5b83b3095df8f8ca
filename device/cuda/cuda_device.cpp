#include "device/cuda/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "device/checks.h"
#include "device/cpu/machine.h"
#include "device/cuda/cuda_call.h"
#include "device/cuda/cuda_handles.h"
#include "device/cuda/host_calls.h"
#include "device/cuda/pinned_memory.h"

namespace spillway {
namespace {

cudaDeviceProp properties_of(int gpu) {
  cudaDeviceProp found{};
  must(cudaGetDeviceProperties(&found, gpu), "cudaGetDeviceProperties", fmt::format("GPU {}", gpu));
  return found;
}

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// As nvidia-smi writes it.
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

/// `before` isn't known here.
DeviceMemory memory_now() {
  std::size_t free = 0, total = 0;
  must(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", "what is free on the GPU");
  return {.total = {static_cast<std::int64_t>(total)}, .free = {static_cast<std::int64_t>(free)}, .before = {}};
}

Bytes free_on_gpu() {
  return memory_now().free;
}

/// As NVML takes it.
std::string pci_bus_id(const cudaDeviceProp& gpu) {
  return fmt::format("{:08x}:{:02x}:{:02x}.0", gpu.pciDomainID, gpu.pciBusID, gpu.pciDeviceID);
}

/// "580.65.06 (CUDA 13.0)", or "CUDA 13.0" where the driver's own version isn't known.
std::string driver_text(const std::string& own) {
  int version = 0;
  must(cudaDriverGetVersion(&version), "cudaDriverGetVersion", "the driver's version");
  const std::string cuda = fmt::format("CUDA {}", version_text(version));
  return own.empty() ? cuda : fmt::format("{} ({})", own, cuda);
}

constexpr int kFirstWithTf32 = 8;  // compute capability 8.0: CUDA C++ Programming Guide, "Compute Capabilities"

/// Whether one of the sources lists TF32's kernels. On a GPU without TF32 its libraries would round to FP16 or nothing.
bool lists_tf32(const std::vector<std::unique_ptr<KernelSource>>& sources, const cudaDeviceProp& found, int gpu) {
  const bool asked = std::ranges::any_of(sources, [](const auto& source) { return source->lists_tf32(); });
  if (asked && found.major < kFirstWithTf32) {
    throw machine_error(
        fmt::format("--device cuda:{},tf32: {} is of compute capability {}.{}, TF32 needs {}.0 or newer; "
                    "leave tf32 out",
                    gpu, found.name, found.major, found.minor, kFirstWithTf32));
  }
  return asked;
}

struct Prepared {
  Launch launch;
  std::vector<Bytes> inputs, outputs;
  Bytes workspace;
};

struct Event {
  CudaEvent event;
  std::uint64_t recorded = 0;  ///< the value that was enqueued last
};

class CudaDevice final : public Device {
 public:
  CudaDevice(int gpu, std::vector<std::unique_ptr<KernelSource>> sources, std::unique_ptr<GpuAllReduce> all_reduce,
             const ToolLibraries& tools)
      : gpu_(gpu),
        sources_(std::move(sources)),
        epoch_(make_event()),
        origin_(make_stream()),
        all_reduce_(std::move(all_reduce)) {
    const cudaDeviceProp found = properties_of(gpu_);
    tools_.emplace(tools, pci_bus_id(found));
    numa_node_ = numa_node_of_pci(found.pciDomainID, found.pciBusID, found.pciDeviceID);
    l2_ = {found.l2CacheSize};
    int runtime = 0;
    must(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion", "the runtime's version");
    properties_ = {
        .name = found.name,
        .device = fmt::format("cuda:{}{}", gpu_, lists_tf32(sources_, found, gpu_) ? ",tf32" : ""),
        .library = fmt::format("CUDA {}", version_text(runtime)),
        .instruction_set = fmt::format("sm_{}{}, {} SMs", found.major, found.minor, found.multiProcessorCount),
        .threads = 1,
        .alignment = kMostAlignment,  // what cudaMalloc gives
        .memory = free_on_gpu(),
        .host_memory = free_memory().bytes,
        .host_link = HostLink{.in = unset_rate(), .out = unset_rate(), .both = {}, .start = {}},
        .on_host = false,
        .driver = driver_text(tools_->driver_version()),
        .unit = uuid_text(found.uuid)};
    must(cudaEventRecord(epoch_.get(), origin_.get()), "cudaEventRecord", "the clock's start");
    must(cudaEventSynchronize(epoch_.get()), "cudaEventSynchronize", "the clock's start");
  }
  ~CudaDevice() override {
    if (all_reduce_) all_reduce_->end_after_failure();
    // Streams may still work on memory that goes away now.
    ignore(cudaDeviceSynchronize());
  }

  [[nodiscard]] const DeviceProperties& properties() const override { return properties_; }

  void allocate(Bytes arena, Bytes host_pool) override {
    SPILLWAY_CHECK(arena.value >= 0 && host_pool.value >= 0, "a negative size");
    must(cudaDeviceSynchronize(), "cudaDeviceSynchronize", "what still uses the old arena");
    arena_ = {};
    host_pool_ = {};
    arena_size_ = {};
    refuse_larger("an arena", arena, free_on_gpu(), "on the GPU");
    const FreeMemory free = free_memory();
    refuse_larger("a host pool", host_pool, free.bytes, free.limit);
    PinnedMemory pool(host_pool, numa_node_, fmt::format("device {}: host pool", properties_.device));
    if (arena.value > 0) {
      void* memory = nullptr;
      must(cudaMalloc(&memory, static_cast<std::size_t>(arena.value)), "cudaMalloc",
           fmt::format("an arena of {} ({} are free)", to_text(arena), to_text(free_on_gpu())));
      arena_ = CudaMemory(memory);
    }
    arena_size_ = arena;
    host_pool_ = std::move(pool);
  }

  [[nodiscard]] std::span<std::byte> host_pool() override { return host_pool_.bytes(); }
  [[nodiscard]] std::optional<DeviceMemory> memory() const override {
    DeviceMemory memory = memory_now();
    memory.before = memory.total - properties_.memory;
    return memory;
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> facts() const override {
    std::vector<std::pair<std::string, std::string>> facts = tools_->missing();
    facts.emplace_back("pinning", fmt::format("{} for a host pool of {}", to_text(host_pool_.pinning()),
                                              to_text(Bytes{static_cast<std::int64_t>(host_pool_.bytes().size())})));
    if (met_) {
      facts.emplace_back("all-reduces",
                         all_reduce_ ? all_reduce_->text() : "through host memory: this build has no NCCL");
    }
    return facts;
  }

  [[nodiscard]] StreamId create_stream(StreamRole, std::size_t) override {
    streams_.push_back(make_stream());
    return StreamId(streams_.size() - 1);
  }
  [[nodiscard]] EventId create_event() override {
    events_.push_back({.event = make_event(), .recorded = 0});
    return EventId(events_.size() - 1);
  }

  [[nodiscard]] std::vector<KernelOption> kernels(const OpDescription& op) override {
    std::vector<KernelOption> options;
    for (const CudaKernel& kernel : all_kernels(op))
      options.push_back({.id = kernel.id, .workspace = kernel.workspace, .last_resort = kernel.last_resort});
    return options;
  }

  [[nodiscard]] KernelId prepare(const OpDescription& op, const std::string& id) override {
    std::optional<CudaKernel> kernel;
    for (std::size_t i = 0; i < sources_.size() && !kernel; ++i) kernel = sources_[i]->kernel(op, id);
    if (!kernel) {
      std::vector<std::string> ids;
      for (const CudaKernel& each : all_kernels(op)) ids.push_back(each.id);
      throw no_such_kernel(properties_.device, op, id, ids);
    }
    Prepared prepared{.launch = kernel->prepare(), .inputs = {}, .outputs = {}, .workspace = kernel->workspace};
    for (const OperandDescription& input : op.inputs) prepared.inputs.push_back(bytes(input));
    for (const OperandDescription& output : op.outputs) prepared.outputs.push_back(bytes(output));
    kernels_.push_back(std::move(prepared));
    return KernelId(kernels_.size() - 1);
  }

  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    SPILLWAY_CHECK(kernel.index() < kernels_.size(), "no such kernel");
    const Prepared& prepared = kernels_[kernel.index()];
    SPILLWAY_CHECK(
        addresses.inputs.size() == prepared.inputs.size() && addresses.outputs.size() == prepared.outputs.size(),
        "one address per operand");
    inputs_.clear();
    outputs_.clear();
    for (std::size_t i = 0; i < prepared.inputs.size(); ++i)
      inputs_.push_back(in_arena(addresses.inputs[i], prepared.inputs[i]));
    for (std::size_t i = 0; i < prepared.outputs.size(); ++i)
      outputs_.push_back(in_arena(addresses.outputs[i], prepared.outputs[i]));
    void* const workspace = prepared.workspace > Bytes{0} ? in_arena(addresses.workspace, prepared.workspace) : nullptr;
    prepared.launch(at(stream), {.inputs = inputs_, .outputs = outputs_, .workspace = workspace});
  }
  void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) override {
    copy(stream, in_host_pool(host_to, size), in_arena(arena_from, size), size, cudaMemcpyDeviceToHost);
  }
  void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) override {
    copy(stream, in_arena(arena_to, size), in_host_pool(host_from, size), size, cudaMemcpyHostToDevice);
  }
  void enqueue_record(StreamId stream, EventId id, std::uint64_t value) override {
    Event& event = at(id);
    event.recorded = value;
    must(cudaEventRecord(event.event.get(), at(stream)), "cudaEventRecord", "an event");
  }
  void enqueue_wait(StreamId stream, EventId id, std::uint64_t value) override {
    const Event& event = at(id);
    SPILLWAY_CHECK(event.recorded >= value, "a wait for a record that isn't enqueued yet");
    if (event.recorded == 0) return;  // never recorded: value 0 is always reached
    must(cudaStreamWaitEvent(at(stream), event.event.get(), 0), "cudaStreamWaitEvent", "an event");
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    host_calls_.enqueue(at(stream), function, argument);
  }
  bool join_ranks(const RankMeeting& meeting) override {
    graphs_.clear();  // they may hold all-reduces of an earlier meeting
    joined_ranks_ = all_reduce_ && all_reduce_->join(meeting, origin_.get());
    met_ = true;
    return joined_ranks_;
  }
  [[nodiscard]] std::string all_reduce() const override { return joined_ranks_ ? all_reduce_->identity() : ""; }
  void enqueue_all_reduce(StreamId stream, std::span<const ArenaPiece> pieces, float scale) override {
    SPILLWAY_CHECK(joined_ranks_, "ranks that haven't joined");
    reduced_.clear();
    for (const ArenaPiece& piece : pieces) {
      const Bytes size{piece.floats * static_cast<std::int64_t>(sizeof(float))};
      reduced_.emplace_back(reinterpret_cast<float*>(in_arena(piece.offset, size)),
                            static_cast<std::size_t>(piece.floats));
    }
    all_reduce_->enqueue(at(stream), reduced_, scale);
  }
  void enqueue_cache_flush(StreamId stream) override {
    const auto size = static_cast<std::size_t>(2 * l2_.value);
    if (size == 0) return;
    if (flushed_.get() == nullptr) {  // only profiling flushes: training has no such memory
      void* memory = nullptr;
      must(cudaMalloc(&memory, size), "cudaMalloc", fmt::format("twice the L2 cache, {}", to_text(2 * l2_)));
      flushed_ = CudaMemory(memory);
    }
    must(cudaMemsetAsync(flushed_.get(), 0, size, at(stream)), "cudaMemsetAsync", "a cache flush");
  }

  std::optional<GraphId> capture(const std::function<void()>& enqueue) override {
    must(cudaStreamBeginCapture(origin_.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture", "a step");
    cudaGraph_t captured = nullptr;
    try {
      fork();
      enqueue();
      join();
    } catch (...) {
      ignore(cudaStreamEndCapture(origin_.get(), &captured));  // ends it, whatever it has become
      static_cast<void>(CudaGraph(captured));
      throw;
    }
    must(cudaStreamEndCapture(origin_.get(), &captured), "cudaStreamEndCapture", "a step");
    CudaGraph graph(captured);
    cudaGraphExec_t executable = nullptr;
    must(cudaGraphInstantiate(&executable, graph.get(), 0), "cudaGraphInstantiate", "a step");
    graphs_.push_back({.graph = std::move(graph), .executable = CudaGraphExec(executable), .replayed = make_event()});
    return GraphId(graphs_.size() - 1);
  }
  void replay(GraphId id) override {
    const Step& step = graphs_.at(id.index());
    must(cudaGraphLaunch(step.executable.get(), origin_.get()), "cudaGraphLaunch", "a step");
    must(cudaEventRecord(step.replayed.get(), origin_.get()), "cudaEventRecord", "a step's end");
    wait_for(step.replayed.get(), "a step");
    host_calls_.rethrow();
  }

  std::optional<ObservedKernels> observe(const std::function<void()>& run) override {
    return tools_->observe([&] {
      run();
      must(cudaDeviceSynchronize(), "cudaDeviceSynchronize", "what is observed");
    });
  }
  std::optional<ClockReading> read_clocks() override { return tools_->read_clocks(); }

  void wait(EventId id, std::uint64_t value) override {
    const Event& event = at(id);
    SPILLWAY_CHECK(event.recorded >= value, "a wait for a record that isn't enqueued yet");
    if (event.recorded > 0) wait_for(event.event.get(), "a stream");
    host_calls_.rethrow();
  }
  [[nodiscard]] Seconds time_of(EventId id) const override { return between(epoch_.get(), at(id).event.get()); }
  [[nodiscard]] Seconds elapsed(EventId from, EventId to) const override {
    return between(at(from).event.get(), at(to).event.get());
  }

 private:
  struct Step {
    CudaGraph graph;
    CudaGraphExec executable;
    CudaEvent replayed;
  };

  static Rate unset_rate() { return {{0}, "not set: as fast as the link"}; }

  void refuse_larger(const char* what, Bytes asked, Bytes free, const std::string& limit) const {
    if (asked <= free) return;
    throw machine_error(fmt::format("device {}: {} of {} was asked for, but {} are free ({})", properties_.device, what,
                                    to_text(asked), to_text(free), limit));
  }

  std::vector<CudaKernel> all_kernels(const OpDescription& op) {
    std::vector<CudaKernel> all;
    for (const std::unique_ptr<KernelSource>& source : sources_)
      std::ranges::move(source->kernels(op), std::back_inserter(all));
    return all;
  }

  void wait_for(cudaEvent_t event, const char* what) {
    if (joined_ranks_) return wait_checking(event, what, *all_reduce_);
    must(cudaEventSynchronize(event), "cudaEventSynchronize", what);
  }

  static Seconds between(cudaEvent_t from, cudaEvent_t to) {
    float milliseconds = 0;
    must(cudaEventElapsedTime(&milliseconds, from, to), "cudaEventElapsedTime", "two events");
    return {1e-3 * static_cast<double>(milliseconds)};
  }

  /// Takes every stream into the capture that the origin has begun.
  void fork() {
    begun_ = make_event();
    must(cudaEventRecord(begun_.get(), origin_.get()), "cudaEventRecord", "a capture's fork");
    for (const CudaStream& stream : streams_)
      must(cudaStreamWaitEvent(stream.get(), begun_.get(), 0), "cudaStreamWaitEvent", "a capture's fork");
  }
  /// Leads every stream back to the origin.
  void join() {
    joined_.clear();
    for (const CudaStream& stream : streams_) {
      joined_.push_back(make_event());
      must(cudaEventRecord(joined_.back().get(), stream.get()), "cudaEventRecord", "a capture's join");
      must(cudaStreamWaitEvent(origin_.get(), joined_.back().get(), 0), "cudaStreamWaitEvent", "a capture's join");
    }
  }

  void copy(StreamId stream, void* to, const void* from, Bytes size, cudaMemcpyKind kind) const {
    if (size.value == 0) return;
    must(cudaMemcpyAsync(to, from, static_cast<std::size_t>(size.value), kind, at(stream)), "cudaMemcpyAsync",
         fmt::format("{} {}", to_text(size), kind == cudaMemcpyDeviceToHost ? "out" : "in"));
  }
  [[nodiscard]] std::byte* in_arena(Bytes offset, Bytes size) const {
    return within(static_cast<std::byte*>(arena_.get()), arena_size_, offset, size, "arena");
  }
  [[nodiscard]] std::byte* in_host_pool(Bytes offset, Bytes size) const {
    const std::span<std::byte> pool = host_pool_.bytes();
    return within(pool.data(), {static_cast<std::int64_t>(pool.size())}, offset, size, "host pool");
  }
  [[nodiscard]] cudaStream_t at(StreamId stream) const {
    SPILLWAY_CHECK(stream.index() < streams_.size(), "no such stream");
    return streams_[stream.index()].get();
  }
  [[nodiscard]] Event& at(EventId event) {
    SPILLWAY_CHECK(event.index() < events_.size(), "no such event");
    return events_[event.index()];
  }
  [[nodiscard]] const Event& at(EventId event) const { return const_cast<CudaDevice*>(this)->at(event); }

  int gpu_;
  int numa_node_ = -1;
  Bytes l2_;
  DeviceProperties properties_;
  std::vector<std::unique_ptr<KernelSource>> sources_;
  std::optional<GpuTools> tools_;  ///< always there once the GPU's place on the bus is known
  HostCalls host_calls_;
  CudaMemory arena_, flushed_;
  Bytes arena_size_;
  PinnedMemory host_pool_;
  std::vector<Prepared> kernels_;
  std::vector<const void*> inputs_;  ///< of the op that is being enqueued
  std::vector<void*> outputs_;
  CudaEvent epoch_;    ///< where this device's clock begins
  CudaStream origin_;  ///< where graphs are captured and replayed
  std::vector<CudaStream> streams_;
  std::vector<Event> events_;
  CudaEvent begun_;
  std::vector<CudaEvent> joined_;
  bool met_ = false, joined_ranks_ = false;
  std::vector<std::span<float>> reduced_;     ///< by the all-reduce that is being enqueued
  std::unique_ptr<GpuAllReduce> all_reduce_;  ///< ends after the graphs it is in: NCCL would wait for their end
  std::vector<Step> graphs_;
};

}  // namespace

void use_gpu(int wanted) {
  int count = 0;  // isn't written when there is no driver
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) {
    ignore(result);
    throw machine_error(fmt::format("--device cuda:{}: no GPU can be used: {} ({}); NVIDIA's driver must be installed",
                                    wanted, cudaGetErrorName(result), cudaGetErrorString(result)));
  }
  if (wanted >= count) {
    throw machine_error(
        fmt::format("--device cuda:{}: found {} GPU{}, numbered from 0", wanted, count, count == 1 ? "" : "s"));
  }
  must(cudaSetDevice(wanted), "cudaSetDevice", fmt::format("GPU {}", wanted));
}

std::unique_ptr<Device> make_cuda_device(int gpu, std::vector<std::unique_ptr<KernelSource>> sources,
                                         std::unique_ptr<GpuAllReduce> all_reduce, const ToolLibraries& tools) {
  use_gpu(gpu);
  return std::make_unique<CudaDevice>(gpu, std::move(sources), std::move(all_reduce), tools);
}

}  // namespace spillway
