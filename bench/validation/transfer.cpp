// Op times that others have measured on an A100 PCIe and an L4, each predicted from the other's: by a plain ratio of
// FLOP rates, and by the roofline of sim/transfer.h. Both ways, per kind of op, then whole steps.
// usage: transfer [folder of the measurements] [folder of the platforms]
#include "sim/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/validation/measurements.h"
#include "core/attributes.h"
#include "core/io/files.h"
#include "core/statistics.h"

using namespace spillway;

namespace {

/// One op of the network as measured: what it was given, and seconds of its passes.
struct Row {
  std::string op, target, name, modules;
  std::vector<Extents> inputs;
  Extents output;
  Seconds forward, backward, sums;  ///< sums: adding the parameters' gradients to those that are there
};

std::vector<std::string> comma_separated(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

/// `(8, 512)`: every number in it.
Extents extents_of(std::string_view text) {
  Extents extents;
  bool in_number = false;
  for (const char c : text) {
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (digit && !in_number) extents.push_back(0);
    if (digit) extents.back() = 10 * extents.back() + (c - '0');
    in_number = digit;
  }
  return extents;
}

/// `[[8, 512], [1]]`
std::vector<Extents> shapes_of(std::string_view text) {
  std::vector<Extents> shapes;
  for (std::size_t from = 0, to = text.find(']'); to != std::string_view::npos;
       from = to + 1, to = text.find(']', from)) {
    if (Extents extents = extents_of(text.substr(from, to - from)); !extents.empty())
      shapes.push_back(std::move(extents));
  }
  return shapes;
}

std::vector<Row> read_rows(const std::string& path) {
  const std::vector<std::string> lines = lines_of(path);
  const std::vector<std::string> headings = comma_separated(lines.front());
  const auto column = [&](const std::string& heading) {
    const auto at = std::ranges::find(headings, heading);
    if (at == headings.end()) throw std::runtime_error(fmt::format("{}: no column '{}'", path, heading));
    return static_cast<std::size_t>(at - headings.begin());
  };
  const std::size_t op = column("op"), target = column("target"), name = column("Name"), modules = column("meta");
  const std::size_t inputs = column("input_shapes"), output = column("output_shape");
  const std::size_t forward = column("fw_latency"), backward = column("bw_latency"), sums = column("acc_latency");
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> fields = comma_separated(lines[i]);
    const auto milliseconds = [&](std::size_t field) { return Seconds{1e-3 * std::stod(fields.at(field))}; };
    rows.push_back({.op = fields.at(op),
                    .target = fields.at(target),
                    .name = fields.at(name),
                    .modules = fields.at(modules),
                    .inputs = shapes_of(fields.at(inputs)),
                    .output = extents_of(fields.at(output)),
                    .forward = milliseconds(forward),
                    .backward = milliseconds(backward),
                    .sums = milliseconds(sums)});
  }
  return rows;
}

/// What computes a row: a module's class, a method's or a function's name.
std::string function_of(const Row& row) {
  const auto until = [](const std::string& text, std::size_t from, std::string_view ends) {
    return text.substr(from, text.find_first_of(ends, from) - from);
  };
  if (row.op == "call_module") {
    const std::size_t last = row.modules.rfind("<class '");
    const std::string path = until(row.modules, last + 8, "'");
    return path.substr(path.rfind('.') + 1);
  }
  for (const std::string_view before : {"method ", "function "}) {
    const std::size_t at = row.target.find(before);
    if (at != std::string::npos) return until(row.target, at + before.size(), " >");
  }
  return row.op == "call_method" ? row.target : "";
}

/// What a kernel must do at least.
struct Kernel {
  double flops = 0;
  Bytes moved;
};

/// A row's kernels, as far as its shapes tell. An op that the tool would have as several has several.
struct Work {
  std::string kind;
  std::vector<Kernel> forward = {}, backward = {}, sums = {};
};

std::int64_t elements(const Extents& extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

/// So many values read and written, each used once: far below any GPU's FLOPs per byte, so that memory decides.
Kernel moving(std::int64_t values, Bytes others = {}) {
  return {.flops = static_cast<double>(values), .moved = 4 * Bytes{values} + others};
}

/// `count` products of m by k with k by n values.
Kernel product(std::int64_t count, std::int64_t m, std::int64_t n, std::int64_t k) {
  return {.flops = 2.0 * static_cast<double>(count * m) * static_cast<double>(n * k),
          .moved = 4 * Bytes{count * (m * k + k * n + m * n)}};
}

Work linear(std::int64_t m, std::int64_t n, std::int64_t k) {
  const Kernel any = product(1, m, n, k);  // forward, dx and dweights move the same three matrices
  return {.kind = m < 32 ? "linear, few rows" : "linear",
          .forward = {any},
          .backward = {any, any},
          .sums = {moving(3 * (n * k + n))}};
}

/// The rows of the table of words, which only the network's head tells, being as wide.
std::int64_t vocabulary(const std::vector<Row>& rows) {
  for (const Row& row : rows)
    if (row.name == "lm_head" || row.name.ends_with("predictions_decoder")) return row.output.back();
  return 0;
}

Work embedding(const Row& row, std::int64_t words) {
  const std::int64_t out = elements(row.output), width = row.output.back();
  Work work{.kind = "embedding", .forward = {moving(2 * out, 8 * Bytes{out / width})}};
  if (row.name.ends_with("word_embeddings") || row.name.ends_with("wte")) {
    // The gradient is a whole table: zeros, to which the rows that were looked up are added.
    work.backward = {moving(words * width + 3 * out, 8 * Bytes{out / width})};
    work.sums = {moving(3 * words * width)};
  }
  return work;
}

/// Absent: the row runs no kernel on values (shapes, views), or it isn't known which.
std::optional<Work> work_of(const Row& row, std::int64_t words) {
  const std::string function = function_of(row);
  const std::int64_t out = elements(row.output);
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, std::string_view(function)) != names.end();
  };
  if (function == "Linear") return linear(out / row.output.back(), row.output.back(), row.inputs[0].back());
  if (function == "addmm") return linear(row.output[0], row.output[1], row.inputs[1][1]);
  if (function == "matmul") {
    const std::int64_t m = row.output[row.output.size() - 2], n = row.output.back();
    const Kernel any = product(out / (m * n), m, n, row.inputs[0].back());
    return Work{.kind = "attention product", .forward = {any}, .backward = {any, any}};
  }
  if (function == "softmax")
    return Work{.kind = "softmax", .forward = {moving(2 * out)}, .backward = {moving(3 * out)}};
  if (function == "LayerNorm")
    return Work{.kind = "layer norm",
                .forward = {moving(2 * out)},
                .backward = {moving(3 * out)},
                .sums = {moving(6 * row.output.back())}};
  if (function == "Dropout") {  // a byte of mask for each value
    const Kernel any = moving(2 * out, Bytes{out});
    return Work{.kind = "dropout", .forward = {any}, .backward = {any}};
  }
  if (function == "Embedding") return embedding(row, words);
  if (is({"ones", "full", "arange"})) return Work{.kind = "fill", .forward = {moving(out)}};
  if (elements(row.output) == 1) return std::nullopt;  // arithmetic on shapes, done by the CPU

  Work work{.kind = "element by element"};
  std::int64_t in = 0;
  for (const Extents& shape : row.inputs) in += elements(shape);
  const bool two_tensors = row.inputs.size() == 2 && elements(row.inputs[1]) > 1;
  if (function == "where") {  // a byte of condition
    const std::int64_t condition = elements(row.inputs[0]);
    work.forward = {moving(in - condition + out, Bytes{condition})};
    work.backward = {moving(2 * out, Bytes{condition})};
  } else if (is({"add", "sub", "contiguous"})) {  // their gradients are passed on as they are
    work.forward = {moving(in + out)};
  } else if (is({"mul", "truediv"})) {
    work.forward = {moving(in + out)};
    work.backward = {two_tensors ? moving(5 * out) : moving(2 * out)};
  } else if (is({"gelu", "tanh", "pow", "Tanh"})) {
    work.forward = {moving(2 * out)};
    work.backward = {moving(3 * out)};
  } else {
    return std::nullopt;
  }
  return work;
}

enum Card { kA100, kL4 };
using OnBoth = std::array<Seconds, 2>;

/// A pass of an op whose kernels are known.
struct Part {
  std::string kind, pass;
  std::vector<Kernel> kernels;
  OnBoth seconds;
  std::int64_t repeats = 1;  ///< in a step
};

/// A pass of an op of which nothing is known but its time.
struct Rest {
  std::string what;
  OnBoth seconds;
  std::int64_t repeats = 1;
};

struct Workload {
  std::string name;
  std::vector<Part> parts;
  std::vector<Rest> rests;
  OnBoth step;  ///< forward and backward, without an update
};

Workload read_workload(const std::string& data, const std::string& name) {
  const std::array<std::string, 2> folders = {data + "/neusight/NVIDIA_A100_80GB_PCIe/", data + "/neusight/NVIDIA_L4/"};
  Workload workload{.name = name, .parts = {}, .rests = {}, .step = {}};
  std::int64_t layers = 1;
  std::array<std::vector<Row>, 2> rows;
  for (const Card card : {kA100, kL4}) {
    rows[card] = read_rows(folders[card] + name + ".csv");
    for (const std::string& line : lines_of(folders[card] + name + ".json")) {
      if (const auto milliseconds = number_after(line, "\"e2e_latency\":"))
        workload.step[card] = {1e-3 * *milliseconds};
      if (const auto number = number_after(line, "\"num_layer\":")) layers = static_cast<std::int64_t>(*number);
    }
  }
  if (rows[kA100].size() != rows[kL4].size()) throw std::runtime_error(name + ": other ops on the L4 than on the A100");
  const std::int64_t words = vocabulary(rows[kA100]);
  for (std::size_t i = 0; i < rows[kA100].size(); ++i) {
    const Row& row = rows[kA100][i];
    const Row& other = rows[kL4][i];
    const bool in_layer =
        row.modules.find(".layer.0'") != std::string::npos || row.modules.find(".h.0'") != std::string::npos;
    const std::int64_t repeats = in_layer ? layers : 1;
    const std::optional<Work> work = work_of(row, words);
    const auto add = [&](const std::string& pass, Seconds a100, Seconds l4, std::vector<Kernel> kernels) {
      if (!(a100 > Seconds{})) return;
      if (!kernels.empty()) {
        workload.parts.push_back({.kind = work->kind,
                                  .pass = pass,
                                  .kernels = std::move(kernels),
                                  .seconds = {a100, l4},
                                  .repeats = repeats});
        return;
      }
      const bool is_known = !work || work->kind != "embedding";
      workload.rests.push_back(
          {.what = is_known ? "no kernel: shapes, views, gradients passed on" : "tables of unknown size",
           .seconds = {a100, l4},
           .repeats = repeats});
    };
    const Work none{.kind = ""};
    const Work& known = work ? *work : none;
    add("forward", row.forward, other.forward, known.forward);
    add("backward", row.backward, other.backward, known.backward);
    add("sums", row.sums, other.sums, known.sums);
  }
  return workload;
}

using Gpus = std::array<Gpu, 2>;

Seconds roofline(const Gpu& gpu, const Part& part) {
  Seconds sum;
  for (const Kernel& kernel : part.kernels) sum += roofline(gpu, kernel.flops, kernel.moved);
  return sum;
}

Bytes moved(const Part& part) {
  Bytes sum;
  for (const Kernel& kernel : part.kernels) sum += kernel.moved;
  return sum;
}

double flops(const Part& part) {
  double sum = 0;
  for (const Kernel& kernel : part.kernels) sum += kernel.flops;
  return sum;
}

/// What a part takes on the other card.
using Method = std::function<Seconds(const Part&, Card from)>;

Method by_flops(const Gpus& gpus) {
  return [gpus](const Part& part, Card from) {
    return part.seconds[from] * (gpus[from].fp32.flops_per_second / gpus[1 - from].fp32.flops_per_second);
  };
}

Method by_roofline(const Gpus& gpus) {
  return [gpus](const Part& part, Card from) {
    return part.seconds[from] * (roofline(gpus[1 - from], part) / roofline(gpus[from], part));
  };
}

/// As by_roofline, but what the smallest kernels take, which is issue, isn't scaled: once for each kernel.
Method by_roofline_less_issue(const Gpus& gpus, const OnBoth& issue) {
  return [gpus, issue](const Part& part, Card from) {
    const double kernels = static_cast<double>(part.kernels.size());
    const Seconds apart = std::min(kernels * issue[from], part.seconds[from]);
    return apart + (part.seconds[from] - apart) * (roofline(gpus[1 - from], part) / roofline(gpus[from], part));
  };
}

using Choice = std::function<bool(const Part&)>;

Errors errors_of(const std::vector<Workload>& workloads, const Method& method, Card from, const Choice& is_chosen) {
  Errors errors;
  for (const Workload& workload : workloads) {
    for (const Part& part : workload.parts)
      if (is_chosen(part)) errors.add(method(part, from).value, part.seconds[1 - from].value);
  }
  return errors;
}

bool is_linear(const Part& part) {
  return part.kind == "linear" && part.pass != "sums";
}
bool is_product(const Part& part) {
  return part.pass != "sums" && (part.kind.starts_with("linear") || part.kind == "attention product");
}

/// The cards with the L4's FP32 rate scaled so that the products of `workload` come out best from the A100's.
Gpus fitted(Gpus gpus, const Workload& workload) {
  const double rate = gpus[kL4].fp32.flops_per_second;
  double best = 1, least = 1e300;
  for (double share = 0.2; share <= 1.2; share += 0.002) {
    gpus[kL4].fp32.flops_per_second = share * rate;
    const double error = errors_of({workload}, by_roofline(gpus), kA100, is_linear).mean_absolute();
    if (error < least) {
      least = error;
      best = share;
    }
  }
  gpus[kL4].fp32.flops_per_second = best * rate;
  return gpus;
}

/// Why the errors are as they are.
void show_rates(const std::vector<Workload>& workloads, const Gpus& gpus) {
  fmt::print("What the cards reach, of their data sheets\n\n{:<10} {:<47} {}\n", "",
             "linear, forward: median; least, most", "element by element: above 100 MB, median; 10 to 48 MB");
  for (const Card card : {kA100, kL4}) {
    std::vector<double> computed, streamed, cached;
    for (const Workload& workload : workloads) {
      for (const Part& part : workload.parts) {
        if (part.kind == "linear" && part.pass == "forward") computed.push_back(flops(part) / part.seconds[card].value);
        if (part.kind != "element by element") continue;
        const double rate = (moved(part) / part.seconds[card]).value;
        if (moved(part) > Bytes{100'000'000}) streamed.push_back(rate);
        if (moved(part) > Bytes{10'000'000} && moved(part) < Bytes{48'000'000}) cached.push_back(rate);
      }
    }
    const auto [least, most] = std::ranges::minmax(computed);
    const double flops = gpus[card].fp32.flops_per_second, memory = gpus[card].memory.value.value;
    fmt::print("{:<10} {:<47} {}\n", gpus[card].name,
               fmt::format("{:.1f} of {:.1f} TFLOP/s, {:.0f} %; {:.1f}, {:.1f}", median(computed) / 1e12, flops / 1e12,
                           100 * median(computed) / flops, least / 1e12, most / 1e12),
               fmt::format("{:.0f} of {:.0f} GB/s, {:.0f} %; {:.0f} GB/s", median(streamed) / 1e9, memory / 1e9,
                           100 * median(streamed) / memory, median(cached) / 1e9));
  }
}

/// What forward kernels take on each card that move less than 100 kB: their median.
OnBoth issue_of(const std::vector<Workload>& workloads) {
  OnBoth issue;
  for (const Card card : {kA100, kL4}) {
    std::vector<double> small;
    for (const Workload& workload : workloads) {
      for (const Part& part : workload.parts)
        if (part.pass == "forward" && moved(part) < Bytes{100'000}) small.push_back(part.seconds[card].value);
    }
    issue[card] = {median(small)};
  }
  return issue;
}

std::string all_of(const Errors& errors) {
  if (errors.count() == 0) return "-";
  return fmt::format("{:+5.0f} {:+5.0f} {:5.0f} {:+6.0f}  {:5.2f}", 100 * errors.mean(), 100 * errors.median(),
                     100 * errors.mean_absolute(), 100 * errors.worst(), errors.mean_factor());
}
std::string some_of(const Errors& errors) {
  if (errors.count() == 0) return "-";
  return fmt::format("{:+5.0f} {:5.0f}  {:5.2f}", 100 * errors.mean(), 100 * errors.mean_absolute(),
                     errors.mean_factor());
}

struct Methods {
  Method flops, roofline, fitted, less_issue;
};

void show_ops(const std::vector<Workload>& workloads, const Methods& methods, const Gpus& gpus, Card from) {
  const std::vector<Workload> not_fitted(workloads.begin() + 1, workloads.end());
  fmt::print("\n{} -> {}\n\n{:<20} {:<9} {:>5}  {:<32} {:<32} {:<20} {}\n", gpus[from].name, gpus[1 - from].name, "op",
             "pass", "parts", "(a) FLOP ratio", "(b) roofline", "(c) rate fitted", "(d) issue apart");
  const auto show = [&](const std::string& what, const std::string& pass, const Choice& is_chosen) {
    const Errors errors = errors_of(workloads, methods.roofline, from, is_chosen);
    if (errors.count() == 0) return;
    fmt::print("{:<20} {:<9} {:>5}  {:<32} {:<32} {:<20} {}\n", what, pass, errors.count(),
               all_of(errors_of(workloads, methods.flops, from, is_chosen)), all_of(errors),
               some_of(errors_of(not_fitted, methods.fitted, from, is_chosen)),
               some_of(errors_of(not_fitted, methods.less_issue, from, is_chosen)));
  };
  for (const std::string kind : {"linear", "linear, few rows", "attention product", "softmax", "layer norm", "dropout",
                                 "element by element", "embedding", "fill"}) {
    for (const std::string pass : {"forward", "backward"})
      show(kind, pass, [&](const Part& part) { return part.kind == kind && part.pass == pass; });
  }
  show("gradient sums", "", [](const Part& part) { return part.pass == "sums"; });
  fmt::print("all but products, by bytes moved\n");
  const auto show_moving = [&](const std::string& what, Bytes above, Bytes most) {
    show(what, "", [&](const Part& part) { return !is_product(part) && moved(part) > above && moved(part) <= most; });
  };
  show_moving("  up to 10 MB", {0}, {10'000'000});
  show_moving("  10 to 48 MB", {10'000'000}, {48'000'000});
  show_moving("  48 to 100 MB", {48'000'000}, {100'000'000});
  show_moving("  above 100 MB", {100'000'000}, {INT64_MAX});
  show("all", "", [](const Part&) { return true; });
}

void show_steps(const std::vector<Workload>& workloads, const Methods& methods, const Gpus& gpus) {
  fmt::print(
      "\nWhole steps, forward and backward without an update. unexplained: what the ops as measured on the target "
      "leave "
      "of its step.\nThen errors of the ops predicted, against the ops as measured and against the step\n\n"
      "{:<24} {:<10} {:>8} {:>12}  {:<33} {}\n",
      "network", "target", "step", "unexplained", "ops: (a), (b), (c), (d)", "step: (a), (b), (c), (d)");
  for (const Card from : {kA100, kL4}) {
    const Card to = from == kA100 ? kL4 : kA100;
    for (const Workload& workload : workloads) {
      Seconds ops;
      for (const Part& part : workload.parts) ops += static_cast<double>(part.repeats) * part.seconds[to];
      for (const Rest& rest : workload.rests) ops += static_cast<double>(rest.repeats) * rest.seconds[to];
      std::string against_ops, against_step;
      for (const Method& method : {methods.flops, methods.roofline, methods.fitted, methods.less_issue}) {
        Seconds predicted;
        for (const Part& part : workload.parts) predicted += static_cast<double>(part.repeats) * method(part, from);
        for (const Rest& rest : workload.rests) predicted += static_cast<double>(rest.repeats) * rest.seconds[from];
        against_ops += fmt::format("{:+7.1f}%", 100 * (predicted / ops - 1));
        against_step += fmt::format("{:+7.1f}%", 100 * (predicted / workload.step[to] - 1));
      }
      fmt::print("{:<24} {:<10} {:>8} {:>11.1f}%  {:<33} {}\n", workload.name, gpus[to].name,
                 to_text(workload.step[to]), 100 * (1 - ops / workload.step[to]), against_ops, against_step);
    }
  }
}

void show_rests(const std::vector<Workload>& workloads) {
  fmt::print("\nNot predicted:\n");
  std::map<std::string, std::vector<double>> of;
  for (const Workload& workload : workloads) {
    std::map<std::string, double> seconds;
    for (const Rest& rest : workload.rests)
      seconds[rest.what] += static_cast<double>(rest.repeats) * rest.seconds[kA100].value;
    for (const auto& [what, sum] : seconds) of[what].push_back(sum / workload.step[kA100].value);
  }
  for (const auto& [what, shares] : of) {
    const auto [least, most] = std::ranges::minmax(shares);
    fmt::print("  {}: {:.1f} to {:.1f} % of the A100's step\n", what, 100 * least, 100 * most);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : SPILLWAY_SOURCE "/bench/validation";
  const std::string platforms = argc > 2 ? argv[2] : SPILLWAY_SOURCE "/platforms";
  const Gpus gpus = {read_platform(platforms + "/a100-pcie.json").gpu.value(),
                     read_platform(platforms + "/l4.json").gpu.value()};
  const std::vector<Workload> workloads = {read_workload(data, "bert_large-train-512-2"),
                                           read_workload(data, "bert_large-train-512-8"),
                                           read_workload(data, "gpt2_large-train-1024-1")};
  const Gpus calibrated = fitted(gpus, workloads.front());
  const OnBoth issue = issue_of(workloads);
  const Methods methods{.flops = by_flops(gpus),
                        .roofline = by_roofline(gpus),
                        .fitted = by_roofline(calibrated),
                        .less_issue = by_roofline_less_issue(calibrated, issue)};
  show_rates(workloads, gpus);
  fmt::print(
      "\nErrors in %: mean, median, mean absolute, worst (of (c) and (d) mean, mean absolute); then the factor by "
      "which "
      "a\nprediction is off, either way, as a geometric mean\n"
      "(a) ratio of the data sheets' FP32 rates\n"
      "(b) ratio of the rooflines from data sheets\n"
      "(c) as (b) with {:.1f} TFLOP/s for the {}, fitted on the linear ops of {}, tested on the others\n"
      "(d) as (c), but {:.0f} us (A100) or {:.0f} us (L4) of each time not scaled: the median of kernels that move "
      "less "
      "than 100 kB\n",
      calibrated[kL4].fp32.flops_per_second / 1e12, gpus[kL4].name, workloads.front().name, 1e6 * issue[kA100].value,
      1e6 * issue[kL4].value);
  for (const Card from : {kA100, kL4}) show_ops(workloads, methods, gpus, from);
  show_rests(workloads);
  show_steps(workloads, methods, gpus);
}
