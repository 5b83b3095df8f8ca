#pragma once

#include <memory>

#include "device/device.h"

namespace spillway {

/// `device`, with 0xFF (a NaN as float32) in every byte of the arena that nobody may read: everything after `allocate`,
/// and a residency's bytes as soon as the last of its last users, on whichever stream, has completed.
///
/// Who enqueues must call note_last_use right behind each last user of a residency and before the record that tells
/// others of that user: then whoever waits for all last users, as a schedule must, comes after the poisoning, and who
/// lacks a wait may find NaN. Per residency and step there are exactly `users` such calls, and a residency's next step
/// is enqueued after this one's have completed. Residencies whose value lives on behind the step have no last user.
///
/// Streams are made for twice as many commands. Needs a device that gives arena_on_host(), which must outlive the
/// result.
[[nodiscard]] std::unique_ptr<Device> poisoned(Device& device);

}  // namespace spillway
