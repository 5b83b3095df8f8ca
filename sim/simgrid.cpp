#include "sim/simgrid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <simgrid/s4u.hpp>
#include <span>

#include "core/error.h"
#include "sim/all_reduce_time.h"
#include "sim/collective.h"
#include "sim/own_process.h"
#include "sim/replica.h"
#include "sim/topology.h"

namespace spillway {
namespace {

namespace s4u = simgrid::s4u;

/// A delay of one second, in flops. Any speed would do; a picosecond is a flop.
constexpr double kFlopsPerSecond = 1e12;
/// SimGrid's payloads are whole numbers, ours in collectives aren't: it counts in this part of a byte.
constexpr double kUnitsPerByte = 1 << 24;
/// Twice as many, which a tree moves, still are a whole number of units.
constexpr double kMostBytes = 128.0 * (1 << 30);

/// SimGrid 3.32 for exact shares and times. Before the engine's platform; the same for every simulation.
void configure() {
  for (const char* setting : {
           "network/model:CM02",      // LV08, the default, takes 97 % of each bandwidth and 13 times the latency
           "network/TCP-gamma:0",     // no bound from a TCP window
           "network/crosstraffic:0",  // a flow takes nothing of the way back; ours have none
           "surf/precision:1e-12",    // seconds; at 1e-9 what ends that close together is merged: 6e-8 of a makespan
           "maxmin/precision:1e-12",  // of a link's rate; at 1e-5 a link with less left than that counts as full
       })
    s4u::Engine::set_config(setting);
}

/// What an instruction has to do on each rank: a delay, then bytes to move; an all-reduce does so stage by stage.
struct Work {
  double delay = 0;  // seconds
  double bytes = 0;
  const Collective* collective = nullptr;  // of `bytes`; null: none, or its time was measured and is the delay
};

/// `collectives`: those of the machine, on the topology that is simulated.
IdVector<InstructionId, Work> work_of(const Trace& trace, const Schedule& schedule, const Machine& machine,
                                      const std::vector<Collective>& collectives) {
  const BatchCosts& costs = costs_at(trace, schedule.plan.batch);
  IdVector<InstructionId, Work> all;
  for (const Instruction& instruction : schedule.instructions) {
    Work work;
    switch (instruction.kind) {
      case InstructionKind::compute: work.delay = (trace.issue + cost(costs, instruction.op).in_step()).value; break;
      case InstructionKind::swap_in:
      case InstructionKind::swap_out: {
        const Bytes size = bytes(trace.graph.buffers[instruction.buffer], schedule.plan.batch);
        work = {.delay = machine.platform().host_link.start.value, .bytes = static_cast<double>(size.value)};
        break;
      }
      case InstructionKind::all_reduce: {
        const Bytes size = bytes_over_links(trace.graph, instruction, schedule.plan.batch);
        if (const auto measured = measured_all_reduce(trace, machine.platform(), size)) {
          work.delay = measured->value;
        } else {
          work = {.bytes = static_cast<double>(size.value),
                  .collective = &collectives[machine.fastest_all_reduce(size).collective]};
        }
        break;
      }
      case InstructionKind::host_update:
        throw input_error(fmt::format("the simgrid engine can't run '{}' yet", name_of(trace.graph, instruction)));
    }
    if (work.bytes > kMostBytes) {
      throw input_error(fmt::format("the simgrid engine can't move more than 128 GiB at once, as '{}' does",
                                    name_of(trace.graph, instruction)));
    }
    all.push_back(work);
  }
  return all;
}

/// One stream of one rank, and what it runs.
struct Lane {
  std::size_t rank = 0, stream = 0;
  s4u::Host* host = nullptr;
  std::size_t next = 0;
  InstructionId instruction;  // invalid: idle
  // The flow that follows the delay, in kUnitsPerByte; 0: none does.
  s4u::Host* destination = nullptr;
  std::uint64_t units = 0;
  s4u::ActivityPtr current, previous;  // previous: it may still be telling of its end
};

/// One step on SimGrid. For one per process.
class Simulation {
 public:
  /// `spans`: by rank, then instruction.
  Simulation(const Schedule& schedule, const IdVector<InstructionId, Work>& work, const Topology& topology,
             const std::vector<Collective>& collectives, std::span<Span> spans)
      : schedule_(schedule),
        work_(work),
        queues_(schedule.streams.size()),
        ranks_(static_cast<std::size_t>(topology.platform().ranks())),
        ended_(spans.size(), 0),
        spans_(spans) {
    for (const InstructionId id : schedule.instructions.ids())
      queues_[schedule.instructions[id].stream.index()].push_back(id);
    create_platform(topology, collectives);
    s4u::Activity::on_completion_cb([this](const s4u::Activity& activity) {
      go_on(*activity.get_data<Lane>());
      start_ready();
    });
  }

  void run() {
    for (std::size_t rank = 0; rank < ranks_; ++rank) freed_.push_back(rank);
    start_ready();
    s4u::Engine::get_instance()->run();
  }

 private:
  /// A zone for each rank, with a host for each stream and for each flow's end: SimGrid's routes are between hosts, and
  /// a rank's flows take different ones.
  void create_platform(const Topology& topology, const std::vector<Collective>& collectives) {
    s4u::NetZone* world = s4u::create_full_zone("platform");
    std::vector<const s4u::Link*> links;
    for (const ResourceId id : topology.resources().ids()) {
      const Resource& resource = topology.resources()[id];
      // Latencies would weigh the shares, so there are none: start-ups are delays.
      links.push_back(
          world->create_link(fmt::format("{}:{}", id.value, resource.name), resource.bytes_per_second * kUnitsPerByte)
              ->set_latency(0)
              ->seal());
    }
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      const auto number = static_cast<std::int64_t>(rank);
      s4u::NetZone* zone = s4u::create_full_zone(fmt::format("rank{}", rank))->set_parent(world);
      // A resource twice in a route counts twice: SimGrid adds up what a flow takes of one link.
      const auto end_of = [&](const s4u::Host* from, const Route& route) {
        s4u::Host* end =
            zone->create_host(fmt::format("{}.end{}", from->get_name(), zone->get_host_count()), 1)->seal();
        std::vector<s4u::LinkInRoute> through;
        for (const ResourceId resource : route) through.emplace_back(links[resource.index()]);
        zone->add_route(from->get_netpoint(), end->get_netpoint(), nullptr, nullptr, through, false);
        return end;
      };
      for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
        s4u::Host* host = zone->create_host(fmt::format("rank{}.stream{}", rank, stream), kFlopsPerSecond)->seal();
        Lane lane;
        lane.rank = rank;
        lane.stream = stream;
        lane.host = host;
        switch (schedule_.streams[StreamId(stream)].role) {
          case StreamRole::swap_in: lane.destination = end_of(host, topology.swap_in(number)); break;
          case StreamRole::swap_out: lane.destination = end_of(host, topology.swap_out(number)); break;
          case StreamRole::network:
            network_ = stream;
            for (const Collective& collective : collectives) {
              for (const CollectiveStage& stage : collective.stages)
                stage_ends_[&stage].push_back(end_of(host, stage.routes[rank]));
            }
            break;
          default: break;
        }
        lanes_.push_back(std::move(lane));
      }
      zone->seal();
    }
    world->seal();
  }

  [[nodiscard]] std::size_t index(std::size_t rank, InstructionId id) const {
    return rank * schedule_.instructions.size() + id.index();
  }
  Lane& lane(std::size_t rank, std::size_t stream) { return lanes_[rank * queues_.size() + stream]; }

  /// Starts what can start on the ranks where something ended.
  void start_ready() {
    while (!freed_.empty()) {
      const std::size_t rank = freed_.back();
      freed_.pop_back();
      for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
        Lane& at = lane(rank, stream);
        if (at.instruction.valid() || at.next == queues_[stream].size()) continue;
        const InstructionId id = queues_[stream][at.next];
        const auto has_ended = [&](InstructionId wait) { return ended_[index(rank, wait)] != 0; };
        if (!std::ranges::all_of(schedule_.instructions[id].waits, has_ended)) continue;
        ++at.next;
        at.instruction = id;
        spans_[index(rank, id)].start = {s4u::Engine::get_clock()};
        if (schedule_.instructions[id].kind == InstructionKind::all_reduce) {
          if (++arrived_ == ranks_) begin_stage(id, 0);
        } else {
          begin(at, work_[id].delay, work_[id].bytes);
        }
      }
    }
  }

  void begin(Lane& at, double delay, double bytes) {
    at.units = static_cast<std::uint64_t>(std::llround(bytes * kUnitsPerByte));
    if (delay == 0) {
      go_on(at);
      return;
    }
    const s4u::ExecPtr exec = s4u::Exec::init();
    exec->set_flops_amount(delay * kFlopsPerSecond)->set_host(at.host);
    keep(at, exec);
    exec->vetoable_start();
  }

  /// After a delay or a flow.
  void go_on(Lane& at) {
    if (at.units == 0) {
      end(at);
      return;
    }
    const s4u::CommPtr flow = s4u::Comm::sendto_init(at.host, at.destination);
    flow->set_payload_size(at.units);
    at.units = 0;  // a payload of 0 would never end, so there is none
    keep(at, flow);
    flow->vetoable_start();  // once; a second start would be a second flow
  }

  static void keep(Lane& at, const s4u::ActivityPtr& activity) {
    activity->set_data(&at);
    at.previous = std::move(at.current);
    at.current = activity;
  }

  void end(Lane& at) {
    if (schedule_.instructions[at.instruction].kind != InstructionKind::all_reduce) {
      end_instruction(at);
      return;
    }
    if (--under_way_ > 0) return;
    const InstructionId id = at.instruction;
    const Collective* collective = work_[id].collective;
    if (collective != nullptr && stage_ + 1 < collective->stages.size()) {
      begin_stage(id, stage_ + 1);
      return;
    }
    arrived_ = 0;
    for (std::size_t rank = 0; rank < ranks_; ++rank) end_instruction(lane(rank, network_));
  }

  void begin_stage(InstructionId id, std::size_t number) {
    stage_ = number;
    under_way_ = ranks_;
    const Work& work = work_[id];
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      Lane& at = lane(rank, network_);
      if (work.collective == nullptr) {
        begin(at, work.delay, 0);
        continue;
      }
      const CollectiveStage& stage = work.collective->stages[number];
      at.destination = stage_ends_.at(&stage)[rank];
      begin(at, stage.start.value, work.bytes * stage.bytes_per_byte);
    }
  }

  void end_instruction(Lane& at) {
    spans_[index(at.rank, at.instruction)].end = {s4u::Engine::get_clock()};
    ended_[index(at.rank, at.instruction)] = 1;
    at.instruction = {};
    freed_.push_back(at.rank);
  }

  const Schedule& schedule_;
  const IdVector<InstructionId, Work>& work_;
  std::vector<std::vector<InstructionId>> queues_;  // by stream
  std::size_t ranks_, network_ = 0;
  std::vector<Lane> lanes_;                                               // by rank, then stream
  std::map<const CollectiveStage*, std::vector<s4u::Host*>> stage_ends_;  // by rank
  std::vector<char> ended_;                                               // by rank, then instruction
  std::vector<std::size_t> freed_;                                        // ranks where something may start now
  std::size_t arrived_ = 0, under_way_ = 0, stage_ = 0;                   // of the all-reduce
  std::span<Span> spans_;
};

constexpr Seconds kNever{-1};

}  // namespace

std::optional<std::string> simgrid_version() {
  return SPILLWAY_SIMGRID_VERSION;
}

std::vector<IdVector<InstructionId, Span>> run_simgrid(const Trace& trace, const Schedule& schedule,
                                                       const Platform& platform) {
  Topology topology(platform);
  const std::vector<Collective> collectives = all_reduces(topology);
  const IdVector<InstructionId, Work> work = work_of(trace, schedule, Machine(platform), collectives);

  const auto ranks = static_cast<std::size_t>(platform.ranks());
  const std::size_t instructions = schedule.instructions.size();
  const SharedMemory memory(ranks * instructions * sizeof(Span));
  const std::span<Span> spans(static_cast<Span*>(memory.data()), ranks * instructions);
  std::ranges::fill(spans, Span{.start = {}, .end = kNever});
  run_in_own_process("SimGrid", [&] {
    std::vector<std::string> arguments{"spillway", "--log=xbt_cfg.thres:warning"};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    auto count = static_cast<int>(pointers.size());
    pointers.push_back(nullptr);
    new s4u::Engine(&count, pointers.data());  // lives as long as the process
    configure();
    Simulation(schedule, work, topology, collectives, spans).run();
  });

  std::vector<IdVector<InstructionId, Span>> by_rank;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    IdVector<InstructionId, Span>& own = by_rank.emplace_back(instructions);
    for (const InstructionId id : schedule.instructions.ids()) own[id] = spans[rank * instructions + id.index()];
  }
  for (const IdVector<InstructionId, Span>& own : by_rank) {
    for (const InstructionId id : schedule.instructions.ids()) {
      if (own[id].end == kNever) throw never_gets_past(trace.graph, schedule.instructions[id]);
    }
  }
  return by_rank;
}

}  // namespace spillway
