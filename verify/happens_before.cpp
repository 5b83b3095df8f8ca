#include "verify/happens_before.h"

#include <algorithm>

namespace spillway {

HappensBefore::HappensBefore(const Schedule& schedule) {
  const std::size_t count = schedule.instructions.size();
  constexpr std::uint32_t kUnseen = 0xffffffffU;
  IdVector<StreamId, std::uint32_t> dense(schedule.streams.size(), kUnseen);
  stream_.resize(count);
  number_.resize(count);
  for (const InstructionId id : schedule.instructions.ids()) {
    std::uint32_t& index = dense[schedule.instructions[id].stream];
    if (index == kUnseen) index = static_cast<std::uint32_t>(streams_++);
    stream_[id] = index;
  }

  clocks_.assign(count * streams_, 0);
  std::vector<InstructionId> previous(streams_);
  for (const InstructionId id : schedule.instructions.ids()) {
    std::uint32_t* const clock = clocks_.data() + id.index() * streams_;
    const auto join = [&](InstructionId completed) {
      const std::uint32_t* const other = clocks_.data() + completed.index() * streams_;
      for (std::size_t i = 0; i < streams_; ++i) clock[i] = std::max(clock[i], other[i]);
      std::uint32_t& own = clock[stream_[completed]];
      own = std::max(own, number_[completed] + 1);
    };
    InstructionId& last = previous[stream_[id]];
    if (last.valid()) {
      number_[id] = number_[last] + 1;
      join(last);
    }
    last = id;
    for (const InstructionId wait : schedule.instructions[id].waits) join(wait);
  }
}

}  // namespace spillway
