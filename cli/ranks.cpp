#include "cli/ranks.h"

#include "comm/meeting.h"
#include "comm/rank_on_node.h"
#include "device/gpu.h"
#include "device/spec.h"

namespace spillway {

Ranks::Ranks() {
  if (!launched_by_mpi()) return;
  session_.emplace();
  world_ = session_->world();
  if (world_->size() == 1) world_.reset();
}

std::unique_ptr<Device> Ranks::make_device(const std::string& text) const {
  const DeviceSpec spec = parse_device(text);
  if (!world_) return spillway::make_device(spec);
  std::unique_ptr<Device> device =
      spillway::make_device(for_rank(spec, rank_on_node(*world_, host_name()), gpu_count()));
  require_own_units(*world_, device->properties().unit, device->properties().device);
  return device;
}

}  // namespace spillway
