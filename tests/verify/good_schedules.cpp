#include "tests/verify/good_schedules.h"

#include "tests/verify/toy.h"

namespace spillway {

const std::vector<GoodSchedule>& good_schedules() {
  static const std::vector<GoodSchedule> all = {
      {"in_memory", in_memory},
      {"swapped", swapped},
      {"act_moves", act_moves},
      {"out_is_copied", out_is_copied, true},
      {"out_leaves", out_leaves},
      {"w_leaves", w_leaves, true},
      {"w_is_there_twice", w_is_there_twice},
      {"act_is_recomputed", act_is_recomputed},
      {"head_runs_for_nothing", head_runs_for_nothing},
  };
  return all;
}

Schedule in_memory() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

Schedule swapped() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4);
  const auto image = s.residency("image", 64, 0, 0), act = s.residency("act", 128, 0, 1),
             out = s.residency("out", 64, 1, 3);
  const auto workspace = s.scratch(128, 64, 2), loss = s.residency("loss", 192, 2, 2);
  const auto act_again = s.residency("act", 128, 3, 3), dw = s.residency("dw", 192, 3, 4),
             m = s.residency("m", 64, 4, 4);
  s.host_valid("m");
  const auto in_image = s.swap_in(image, 0, {});
  const auto forward = s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto out_act = s.swap_out(act, 1, {forward});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {out_act}, workspace);
  const auto out_loss = s.swap_out(loss, 2, {at_loss});
  const auto in_act = s.swap_in(act_again, 3, {at_loss});
  const auto backward = s.compute("backward", {act_again, out}, {dw}, {out_loss, in_act});
  const auto in_m = s.swap_in(m, 4, {backward});
  const auto update = s.compute("update", {w, dw, m}, {w, m}, {in_m});
  s.swap_out(m, 4, {update});
  return s.build();
}

Schedule act_moves() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 1),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto act_again = s.residency("act", 512, 2, 3);
  const auto in_image = s.swap_in(image, 0, {});
  const auto forward = s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto out_act = s.swap_out(act, 1, {forward});
  const auto in_act = s.swap_in(act_again, 2, {out_act});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act_again, out}, {dw}, {in_act});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

Schedule out_is_copied() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  const auto head = s.compute("head", {act}, {out}, {});
  const auto out_out = s.swap_out(out, 1, {head});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {out_out}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

Schedule out_leaves() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 2);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto out_again = s.residency("out", 512, 3, 3);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  const auto out_out = s.swap_out(out, 2, {at_loss});
  const auto in_out = s.swap_in(out_again, 3, {out_out});
  s.compute("backward", {act, out_again}, {dw}, {in_out});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

Schedule w_leaves() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 2, 0), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  s.host_valid("w");
  const auto in_image = s.swap_in(image, 0, {});
  const auto forward = s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto in_w = s.swap_in(w, 2, {forward});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  const auto update = s.compute("update", {w, dw, m}, {w, m}, {in_w});
  s.swap_out(w, 4, {update});
  return s.build();
}

Schedule w_is_there_twice() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto w_again = s.residency("w", 512, 0, 0);
  s.host_valid("w");
  const auto in_image = s.swap_in(image, 0, {});
  const auto in_w = s.swap_in(w_again, 0, {});
  s.compute("forward", {image, w_again}, {act}, {in_image, in_w});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  const auto update = s.compute("update", {w, dw, m}, {w, m}, {});
  s.swap_out(w, 4, {update});
  return s.build();
}

Schedule act_is_recomputed() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 5), m = s.wrapping("m", 64, 0, 5);
  const auto image = s.residency("image", 128, 0, 3), act = s.residency("act", 192, 0, 1),
             out = s.residency("out", 256, 1, 4);
  const auto workspace = s.scratch(192, 64, 2), loss = s.residency("loss", 320, 2, 2);
  const auto act_again = s.residency("act", 192, 3, 4), dw = s.residency("dw", 128, 4, 5);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("forward", {image, w}, {act_again}, {});
  s.compute("backward", {act_again, out}, {dw}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

Schedule head_runs_for_nothing() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 5), m = s.wrapping("m", 64, 0, 5);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 4),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 5),
             workspace = s.scratch(448, 64, 2);
  const auto unwanted = s.scratch(448, 64, 4);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  s.compute("head", {act}, {unwanted}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

}  // namespace spillway
