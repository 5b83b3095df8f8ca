#include "executor/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "core/io/files.h"
#include "core/micro_batches.h"
#include "core/sha256.h"
#include "executor/data/batches.h"
#include "executor/data/checkpoint.h"
#include "executor/data/initial_values.h"
#include "executor/equal_ranks.h"
#include "executor/measured_timeline.h"
#include "executor/runner.h"
#include "verify/verify.h"

namespace spillway {
namespace {

using Clock = std::chrono::steady_clock;

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// The state buffer of this name, if the graph has one.
std::optional<BufferId> state_named(const Graph& graph, std::string_view name) {
  for (const BufferId id : graph.buffers.ids()) {
    if (graph.buffers[id].role == Role::state && graph.buffers[id].name == name) return id;
  }
  return std::nullopt;
}

/// What the micro-batches have of a traced buffer: itself, then its copies.
std::vector<BufferId> of_all_passes(const Graph& graph, BufferId traced) {
  std::vector<BufferId> all{traced};
  for (const BufferId id : graph.buffers.ids()) {
    if (graph.buffers[id].copy_of == traced) all.push_back(id);
  }
  return all;
}

BufferId loss_buffer(const Graph& graph) {
  for (const BufferId id : graph.buffers.ids()) {
    if (graph.buffers[id].role == Role::loss && !graph.buffers[id].copy_of.valid()) return id;
  }
  throw input_error(fmt::format("the graph '{}' has no loss: there is nothing to train", graph.name));
}

/// What fixes the bits must be what the trace was recorded with.
void require_same_kernels(const DeviceProperties& device, const Provenance& trace) {
  const auto refuse = [](const std::string& what, const std::string& found, const std::string& expected) {
    throw machine_error(
        fmt::format("this device runs with {} {}, the trace was recorded with {}: kernels and times would be others; "
                    "profile again here "
                    "or execute there",
                    what, found, expected));
  };
  if (device.threads != trace.threads) {
    refuse("threads =", std::to_string(device.threads), std::to_string(trace.threads));
  }
  if (device.instruction_set != trace.instruction_set)
    refuse("instruction set", device.instruction_set, trace.instruction_set);
  if (device.library != trace.library) refuse("library", device.library, trace.library);
}

class Training {
 public:
  Training(Device& device, const TrainRequest& request)
      : request_(request),
        ranks_(request.communicator),
        trace_(*request.trace),
        schedule_(*request.schedule),
        graph_(trace_.graph),
        losses_(of_all_passes(graph_, loss_buffer(graph_))),
        learning_rate_(state_named(graph_, "learning_rate")) {
    require_safe();
    require_same_kernels(device.properties(), trace_.provenance);
    seed_ = request.seed;
    require_ranks();
    open_checkpoint();
    if (request.learning_rate && !learning_rate_) {
      throw input_error("--learning-rate: this model's optimizer has no learning rate");
    }
    std::optional<Weights> weights;
    if (request.weights && !checkpoint_) weights.emplace(*request.weights, graph_);
    batches_ = request.data ? batches_from_files(graph_, schedule_.plan.batch, *request.data, seed_)
                            : synthetic_batches(graph_, schedule_.plan.batch, seed_);
    for (const InputDescription& input : batches_->inputs())
      inputs_.push_back(of_all_passes(graph_, graph_.tensors[input.tensor].buffer));
    if (ranks_) {
      require_equal(*ranks_, fingerprint(device.properties()));
      network_ = ranks_->duplicate();
    }
    runner_.emplace(device, trace_, schedule_, request.timeline ? Timing::on : Timing::off, network_.get());
    set_lasting_values(weights);
    if (!device.properties().on_host) {
      // Loads kernels, lets libraries take their memory and connects ranks, none of which a capture may do. Its inputs
      // are the host pool's zeros; what it changes is set again.
      runner_->run_step();
      set_lasting_values(weights);
    }
    issue_.emplace(*runner_, request.issue);
    checkpoint_.reset();
  }

  TrainResult run() {
    result_.host_pool = runner_->host_pool_bytes();
    while (result_.completed < request_.steps && !stopped()) {
      run_step();
      const bool last = result_.completed == request_.steps || stopped();
      if (request_.checkpoint && is_first() && (last || result_.completed % request_.checkpoint_every == 0))
        write_checkpoint();
    }
    result_.stopped = result_.completed < request_.steps;
    result_.issue = issue_->current();
    if (request_.save && is_first()) save_weights(*request_.save, graph_, read_values());
    if (request_.timeline && !result_.losses.empty()) {
      result_.traced_step = trace_last_step();
      const std::string title = fmt::format("{}, batch {}, {} on {}", graph_.name, batch_text(schedule_.plan),
                                            schedule_.plan.policy, schedule_.plan.platform.device);
      result_.timeline = measured_timeline(trace_, schedule_, runner_->measured(), title, ranks_);
    }
    return std::move(result_);
  }

 private:
  void require_safe() const {
    const std::vector<Violation> violations = verify(trace_, schedule_);
    if (violations.empty()) return;
    throw Error(ExitCode::no, fmt::format("the schedule isn't safe to run ({} violations), the first: {}",
                                          violations.size(), violations.front().text));
  }

  void open_checkpoint() {
    if (!request_.checkpoint) {
      if (request_.resume) throw input_error("--resume: needs --checkpoint DIR, the directory to resume from");
      return;
    }
    if (!request_.resume) {
      require_no_checkpoint(*request_.checkpoint);
      return;
    }
    const std::optional<std::string> newest = newest_checkpoint(*request_.checkpoint);
    if (!newest) return;
    checkpoint_.emplace(*newest, graph_);
    const Progress& progress = checkpoint_->progress();
    if (progress.seed != request_.seed) {
      throw input_error(fmt::format("{}: was made with --seed {}, found --seed {}; give the same seed to resume",
                                    *newest, progress.seed, request_.seed));
    }
    if (progress.trace_sha256 != schedule_.plan.trace_sha256) {
      throw input_error(fmt::format(
          "{}: was made with another trace, whose kernels may compute other bits; give the plan's own trace, or go on "
          "from its weights with --weights {}",
          *newest, *newest));
    }
    all_losses_ = progress.losses;
    result_.first_step = result_.completed = progress.step;
  }

  void set_lasting_values(const std::optional<Weights>& weights) {
    std::vector<std::byte> value;
    const auto given = [&](BufferId buffer) -> const BufferValues* {
      const std::vector<BufferValues>* values = checkpoint_ ? &checkpoint_->values()
                                                : weights   ? &weights->values()
                                                            : nullptr;
      if (!values) return nullptr;
      const auto found = std::ranges::find(*values, buffer, &BufferValues::buffer);
      return found == values->end() ? nullptr : &*found;
    };
    for (const BufferId buffer : lasting_buffers(graph_)) {
      value.resize(static_cast<std::size_t>(bytes(graph_.buffers[buffer], schedule_.plan.batch).value));
      if (const BufferValues* values = given(buffer)) {
        std::ranges::copy(values->bytes, value.begin());
      } else {
        fill_initial_values(graph_, buffer, seed_, value);
      }
      if (ranks_) ranks_->broadcast(value, 0);
      runner_->set(buffer, value);
    }
    if (const auto first = state_named(graph_, kFirstSample)) {
      std::int64_t sample = batch_index(0) * schedule_.plan.batch;
      for (const BufferId number : of_all_passes(graph_, *first)) {
        runner_->set(number, bytes_of(sample));
        sample += schedule_.plan.batch;
      }
    }
    if (const auto seed = state_named(graph_, "seed")) runner_->set(*seed, bytes_of(static_cast<std::int64_t>(seed_)));
  }

  struct RanStep {
    float loss = 0;
    Seconds seconds;
  };

  /// Loads the batch of this step, calls `run`, and reads the loss.
  template <class Run>
  RanStep load_and_run(std::int64_t step, Run run) {
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      std::int64_t index = batch_index(step);
      for (const BufferId buffer : inputs_[i])
        batches_->fill(batches_->inputs()[i].tensor, index++, runner_->slot(buffer));
    }
    if (request_.learning_rate) {
      runner_->set(*learning_rate_, bytes_of(static_cast<float>(request_.learning_rate->at(step))));
    }
    run();
    float loss = mean_loss();
    if (ranks_) {
      // One who was asked to stop stops all, after the same step.
      float asked = request_.stop && request_.stop->load() ? 1 : 0;
      const std::span<float> pieces[] = {std::span(&loss, 1), std::span(&asked, 1)};
      ranks_->all_reduce_sum(pieces, 1 / static_cast<float>(ranks()));
      stop_asked_ = asked > 0;
    }
    return {.loss = loss, .seconds = {std::chrono::duration<double>(Clock::now() - begun).count()}};
  }

  void run_step() {
    const auto [loss, seconds] = load_and_run(result_.completed, [&] { issue_->run(); });
    ++result_.completed;
    result_.losses.push_back(loss);
    all_losses_.push_back(static_cast<double>(loss));
    result_.step_seconds.push_back(seconds);
    if (request_.progress) {
      request_.progress({.step = result_.completed, .steps = request_.steps, .loss = loss, .seconds = seconds});
    }
  }

  /// Runs the last step twice more, timing its instructions. The first time finds events that were never recorded and,
  /// after graphs, kernels that weren't enqueued lately, so the second counts: how long it took.
  Seconds trace_last_step() {
    RanStep traced;
    for (int run = 0; run < 2; ++run) {
      traced = load_and_run(result_.completed - 1, [&] {
        if (ranks_) ranks_->barrier();  // so that the ranks' timelines begin together
        runner_->run_step(Timing::on);
      });
    }
    return traced.seconds;
  }

  /// Added up as gradients are, so that a micro-batch and a rank count the same to the last bit.
  [[nodiscard]] float mean_loss() {
    float sum = 0;
    for (const BufferId buffer : losses_) {
      float loss = 0;
      std::memcpy(&loss, runner_->slot(buffer).data(), sizeof loss);
      sum += loss;
    }
    return sum * (1 / static_cast<float>(losses_.size()));
  }

  /// Of this rank's first micro-batch in a step.
  [[nodiscard]] std::int64_t batch_index(std::int64_t step) const {
    return (step * ranks() + rank()) * schedule_.plan.micro_batches;
  }
  [[nodiscard]] bool stopped() const { return ranks_ ? stop_asked_ : request_.stop && request_.stop->load(); }
  [[nodiscard]] std::int64_t rank() const { return ranks_ ? ranks_->rank() : 0; }
  [[nodiscard]] std::int64_t ranks() const { return ranks_ ? ranks_->size() : 1; }
  [[nodiscard]] bool is_first() const { return rank() == 0; }

  void require_ranks() const {
    const std::int64_t planned = schedule_.plan.platform.ranks();
    if (planned == ranks()) return;
    const std::string line = fmt::format(
        "the plan is for {} rank{}, {} run{}; {}", planned, planned == 1 ? "" : "s", ranks(), ranks() == 1 ? "s" : "",
        planned == 1 ? "run 'spillway tune' with --gpus for more"
                     : fmt::format("start it with 'mpirun -n {} spillway execute'", planned));
    throw AgreedError(line);
  }

  /// What must be the same on all ranks, one fact a line.
  [[nodiscard]] std::string fingerprint(const DeviceProperties& device) const {
    // The first batch stands for all: reading them all would take as long as training on them.
    std::string first_batch;
    for (const InputDescription& input : batches_->inputs()) {
      std::string content(static_cast<std::size_t>(bytes(graph_.tensors[input.tensor], schedule_.plan.batch).value),
                          '\0');
      batches_->fill(input.tensor, 0, std::as_writable_bytes(std::span(content)));
      first_batch += sha256(content);
    }
    return fmt::format(
        "plan or schedule: {}\ntrace: {}\nkernels: {} {} threads={}\nseed: {}\nsteps: {}\ncompleted steps: {}\n"
        "data: {}, {} batches an epoch, the first with {}\n",
        sha256(schedule_text(schedule_, graph_)).substr(0, 16), schedule_.plan.trace_sha256.substr(0, 16),
        device.library, device.instruction_set, device.threads, seed_, request_.steps, result_.completed,
        request_.data ? "files" : "synthetic", batches_->batches_per_epoch().value_or(0),
        sha256(first_batch).substr(0, 16));
  }

  /// All lasting buffers; the bytes live until the next call.
  std::vector<BufferValues> read_values() {
    std::vector<BufferValues> values;
    values_.clear();
    for (const BufferId buffer : lasting_buffers(graph_)) {
      values_.emplace_back(static_cast<std::size_t>(bytes(graph_.buffers[buffer], schedule_.plan.batch).value));
      runner_->get(buffer, values_.back());
      values.push_back({.buffer = buffer, .bytes = values_.back()});
    }
    return values;
  }

  void write_checkpoint() {
    save_checkpoint(
        *request_.checkpoint, graph_, read_values(),
        {.step = result_.completed, .seed = seed_, .trace_sha256 = schedule_.plan.trace_sha256, .losses = all_losses_});
  }

  const TrainRequest& request_;
  Communicator* ranks_;                    ///< this thread's; null: one rank
  std::unique_ptr<Communicator> network_;  ///< the runner's
  const Trace& trace_;
  const Schedule& schedule_;
  const Graph& graph_;
  std::vector<BufferId> losses_;               ///< by micro-batch
  std::vector<std::vector<BufferId>> inputs_;  ///< of batches_->inputs(), by micro-batch
  std::optional<BufferId> learning_rate_;
  std::uint64_t seed_ = 1;
  std::optional<Checkpoint> checkpoint_;
  std::unique_ptr<BatchSource> batches_;
  std::optional<Runner> runner_;
  std::optional<StepIssue> issue_;
  std::vector<double> all_losses_;
  std::vector<std::vector<std::byte>> values_;
  bool stop_asked_ = false;
  TrainResult result_;
};

}  // namespace

TrainResult train(Device& device, const TrainRequest& request) {
  return Training(device, request).run();
}

}  // namespace spillway
