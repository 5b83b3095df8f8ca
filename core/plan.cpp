#include "core/plan.h"

#include <fmt/format.h>

namespace spillway {

std::string batch_text(const Plan& plan) {
  return plan.micro_batches == 1 ? fmt::format("{}", plan.batch)
                                 : fmt::format("{} x {} micro-batches", plan.batch, plan.micro_batches);
}

}  // namespace spillway
