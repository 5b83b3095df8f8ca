#include "device/cpu/op_thread.h"

#include <cstring>
#include <span>

#include "core/error.h"

namespace spillway {
namespace {

void run_op(const RunOp& op) {
  const PreparedKernel& kernel = *op.kernel;
  const std::span<std::byte* const> inputs(op.operands.data(), kernel.inputs.size());
  const std::span<std::byte* const> outputs(op.operands.data() + kernel.inputs.size(), kernel.outputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    announce_read(inputs[i], static_cast<std::size_t>(kernel.inputs[i].value));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    announce_write(outputs[i], static_cast<std::size_t>(kernel.outputs[i].value));
  }
  announce_write(op.workspace, static_cast<std::size_t>(kernel.workspace.value));
  kernel.kernel->run(inputs, outputs, op.workspace);
}

}  // namespace

OpThread::OpThread(const char* name, Listener listener, Events& events, Failures& failures)
    : StreamThread(name, listener, events, failures) {
  start();
}

StreamThread::Progress OpThread::serve(Lane& lane) {
  if (const auto* wait = std::get_if<WaitForEvent>(&lane.current)) {
    return wait->event->reached(wait->value) ? Progress::completed : Progress::stuck;
  }
  if (const auto* raise = std::get_if<RaiseEvent>(&lane.current)) {
    events().raise(*raise->event, raise->value, now());
    return Progress::completed;
  }
  if (lane.failed) return Progress::completed;
  try {
    if (const auto* op = std::get_if<RunOp>(&lane.current)) {
      run_op(*op);
    } else if (const auto* call = std::get_if<CallFunction>(&lane.current)) {
      call->function(call->argument);
    } else if (const auto* flush = std::get_if<FlushCaches>(&lane.current)) {
      std::memset(flush->bytes, 1, flush->size);
    } else {
      SPILLWAY_CHECK(false, "a copy on a stream of ops");
    }
  } catch (...) {
    failures().keep(std::current_exception());
    lane.failed = true;
  }
  return Progress::completed;
}

}  // namespace spillway
