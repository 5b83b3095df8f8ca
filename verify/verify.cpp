#include "verify/verify.h"

#include "verify/accesses.h"
#include "verify/conflicts.h"
#include "verify/findings.h"
#include "verify/form.h"
#include "verify/happens_before.h"
#include "verify/micro_batches.h"
#include "verify/reductions.h"
#include "verify/reuse.h"
#include "verify/sizes.h"
#include "verify/structure.h"
#include "verify/values.h"

namespace spillway {

std::vector<Violation> verify(const Trace& trace, const Schedule& schedule) {
  Findings report(trace, schedule);
  check_form(trace, schedule, report);
  if (!report.empty()) return report.take();

  check_structure(trace, schedule, report);
  const bool is_structured = report.empty();
  check_sizes(trace, schedule, report);
  // Without the structure, races and values would only repeat in many words what is wrong with it.
  if (!is_structured) return report.take();

  const auto residencies = residency_accesses(schedule);
  const HappensBefore happens_before(schedule);
  check_conflicts(schedule, residencies, host_slot_accesses(schedule, trace.graph.buffers.size()), happens_before,
                  report);
  check_reuse(schedule, residencies, happens_before, report);
  check_values(trace, schedule, report);
  check_reductions(trace, schedule, report);
  check_micro_batches(trace, schedule, report);
  return report.take();
}

}  // namespace spillway
