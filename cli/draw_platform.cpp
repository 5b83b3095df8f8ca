#include "cli/draw_platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/output.h"

namespace spillway {
namespace {

constexpr std::int64_t kGpusDrawn = 16;
constexpr std::size_t kColumns = 80;

/// A node of the drawing: a line, and what hangs under it.
struct Branch {
  std::string line;
  std::vector<Branch> under = {};
};

void draw(const Branch& branch, const std::string& margin, std::string& text) {
  for (const Branch& child : branch.under) {
    const bool last = &child == &branch.under.back();
    text += shortened(fmt::format("{}{} {}", margin, last ? "`-" : "|-", child.line), kColumns) + "\n";
    draw(child, margin + (last ? "   " : "|  "), text);
  }
}

std::string marked(const std::string& figure, const std::string& source) {
  return fmt::format("{} [{}]", figure, mark_of(source));
}

/// The rate each way and the cap on both together; one mark behind all that share it.
std::string ways(const Rate& in, const Rate& out, const std::optional<Rate>& both) {
  std::vector<std::pair<std::string, std::string>> parts{{"in " + to_text(in.value), mark_of(in.source)},
                                                         {"out " + to_text(out.value), mark_of(out.source)}};
  if (in == out) parts = {{to_text(in.value) + " each way", mark_of(in.source)}};
  if (both) parts.emplace_back("both " + to_text(both->value), mark_of(both->source));
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i].first;
    const bool ends = i + 1 == parts.size() || parts[i + 1].second != parts[i].second;
    if (ends) text += fmt::format(" [{}]", parts[i].second);
  }
  return text;
}

std::string count_of(std::int64_t number, const std::string& noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

Branch node_of(const Platform& platform) {
  Branch node;
  node.under.push_back({"host memory " + marked(to_text(platform.host_memory), platform.host_memory_source)});
  if (platform.network) {
    const Network& network = *platform.network;
    node.under.push_back({fmt::format("{} of {}{}", count_of(network.nics, "NIC"),
                                      marked(to_text(network.rate.value), network.rate.source),
                                      network.behind_uplink && platform.uplink ? ", over the uplinks" : "")});
  }
  if (platform.sockets && platform.sockets->count > 1 && platform.sockets->link) {
    const Rate& link = *platform.sockets->link;
    node.under.push_back({"between sockets, each way " + marked(to_text(link.value), link.source)});
  }
  std::int64_t last_socket = -1, last_switch = -1;
  const std::int64_t gpus = std::min(platform.gpus_per_node, kGpusDrawn);
  for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
    Branch* place = &node;
    if (platform.sockets) {
      const Sockets& sockets = *platform.sockets;
      const auto socket = static_cast<std::int64_t>(static_cast<double>(gpu) * static_cast<double>(sockets.count) /
                                                    static_cast<double>(platform.gpus_per_node));
      if (socket != last_socket) {
        node.under.push_back({fmt::format("socket {}: memory {}", socket,
                                          marked(to_text(sockets.memory.value), sockets.memory.source))});
        last_switch = -1;
      }
      last_socket = socket;
      place = &node.under.back();
    }
    if (platform.uplink) {
      const Uplink& uplink = *platform.uplink;
      const std::int64_t number = gpu / uplink.gpus;
      if (number != last_switch)
        place->under.push_back({fmt::format("switch {}: {}", number, ways(uplink.in, uplink.out, uplink.both))});
      last_switch = number;
      place = &place->under.back();
    }
    const HostLink& link = platform.host_link;
    place->under.push_back({fmt::format("GPU {}: {}", gpu, ways(link.in, link.out, link.both))});
  }
  if (gpus < platform.gpus_per_node)
    node.under.push_back({fmt::format("and {} alike", count_of(platform.gpus_per_node - gpus, "GPU"))});
  return node;
}

std::string bricks_drawn(const std::vector<Bricks>& bricks, std::int64_t gpus) {
  const std::int64_t drawn_gpus = std::min(gpus, kGpusDrawn);
  const auto side = static_cast<std::size_t>(drawn_gpus);
  std::vector<std::vector<std::int64_t>> counts(side, std::vector<std::int64_t>(side));
  for (const Bricks& pair : bricks) {
    if (pair.a >= drawn_gpus || pair.b >= drawn_gpus) continue;
    counts[static_cast<std::size_t>(pair.a)][static_cast<std::size_t>(pair.b)] = pair.count;
    counts[static_cast<std::size_t>(pair.b)][static_cast<std::size_t>(pair.a)] = pair.count;
  }
  std::string text = "  bricks";
  for (std::size_t gpu = 0; gpu < side; ++gpu) text += fmt::format("{:>4}", gpu);
  text += "\n";
  for (std::size_t a = 0; a < side; ++a) {
    text += fmt::format("  {:>6}", a);
    for (std::size_t b = 0; b < side; ++b)
      text += counts[a][b] == 0 ? fmt::format("{:>4}", ".") : fmt::format("{:>4}", counts[a][b]);
    text += "\n";
  }
  return text;
}

std::string gpu_links_drawn(const Platform& platform) {
  if (!platform.gpu_links || platform.gpus_per_node == 1) return "";
  const GpuLinks& links = *platform.gpu_links;
  const std::string rate = links.rate ? marked(to_text(links.rate->value), links.rate->source) : "";
  std::string text = "\nGPU to GPU: ";
  switch (links.kind) {
    case GpuLinks::Kind::host: return text + "through host memory only\n";
    case GpuLinks::Kind::switches:
      return text + "over their host links" + (links.rate ? ", under one switch each way " + rate : "") + "\n";
    case GpuLinks::Kind::crossbar: return text + "a crossbar, each GPU each way " + rate + "\n";
    case GpuLinks::Kind::bricks: break;
  }
  return text + "bricks, each way " + rate + "\n" + bricks_drawn(links.bricks, platform.gpus_per_node);
}

struct Figure {
  std::string label, value, source;
};

class Figures {
 public:
  void add(const std::string& label, const std::string& value, const std::string& source) {
    all_.push_back({label, value, source});
  }
  void add(const std::string& label, const Rate& rate) { add(label, to_text(rate.value), rate.source); }
  void add(const std::string& label, const std::optional<Rate>& rate) {
    if (rate) add(label, *rate);
  }
  void add(const std::string& label, const std::optional<ComputeRate>& rate) {
    if (rate) add(label, fmt::format("{:.4g} TFLOP/s", rate->flops_per_second / 1e12), rate->source);
  }
  void add_ways(const std::string& label, const Rate& in, const Rate& out, const std::optional<Rate>& both) {
    if (in == out) {
      add(label + " each way", in);
    } else {
      add(label + " in", in);
      add(label + " out", out);
    }
    add("both together", both);
  }

  /// Three columns, the third wrapped between words.
  [[nodiscard]] std::string text() const {
    std::size_t label = 0, value = 0;
    for (const Figure& figure : all_) {
      label = std::max(label, figure.label.size());
      value = std::max(value, figure.value.size());
    }
    const std::size_t start = 2 + label + 2 + value + 2;
    std::string text;
    for (const Figure& figure : all_) {
      std::string line = fmt::format("  {:<{}}  {:>{}}", figure.label, label, figure.value, value);
      bool fresh = true;
      for (const std::string& word : words(figure.source.empty() ? "no source" : figure.source)) {
        if (!fresh && line.size() + 1 + word.size() > kColumns) {
          text += line + "\n";
          line = std::string(start - 2, ' ');
          fresh = true;
        }
        line += (fresh ? "  " : " ") + word;
        fresh = false;
      }
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<Figure> all_;

  [[nodiscard]] static std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> all(1);
    for (const char c : text) {
      if (c != ' ') {
        all.back() += c;
      } else if (!all.back().empty()) {
        all.emplace_back();
      }
    }
    return all;
  }
};

Figures figures_of(const Platform& platform) {
  Figures figures;
  if (platform.gpu) {
    figures.add("GPU FP32", std::optional(platform.gpu->fp32));
    figures.add("GPU TF32", platform.gpu->tf32);
    figures.add("GPU FP16", platform.gpu->fp16);
  }
  figures.add("GPU memory", to_text(platform.device_memory), platform.device_memory_source);
  if (platform.gpu) {
    figures.add("its peak rate", platform.gpu->memory);
    figures.add("its rate as seen", platform.gpu->memory_measured);
  }
  figures.add("host memory", to_text(platform.host_memory), platform.host_memory_source);
  const HostLink& link = platform.host_link;
  figures.add_ways("host link", link.in, link.out, link.both);
  figures.add("a copy's start", to_text(link.start), link.start_source);
  if (platform.uplink) figures.add_ways("uplink", platform.uplink->in, platform.uplink->out, platform.uplink->both);
  if (platform.sockets) {
    figures.add("socket's memory", platform.sockets->memory);
    figures.add("between sockets", platform.sockets->link);
  }
  if (platform.gpu_links) {
    const bool bricks = platform.gpu_links->kind == GpuLinks::Kind::bricks;
    figures.add(bricks ? "one brick" : "GPU to GPU", platform.gpu_links->rate);
    figures.add("a GPU step's start", to_text(platform.gpu_links->start), platform.gpu_links->start_source);
    figures.add("all-reduce", platform.gpu_links->all_reduce);
  }
  if (platform.network) {
    figures.add("NIC", platform.network->rate);
    figures.add("a network step's start", to_text(platform.network->start), platform.network->start_source);
  }
  return figures;
}

}  // namespace

std::string mark_of(const std::string& source) {
  constexpr std::pair<const char*, const char*> kMarks[] = {{"measured", "measured"},
                                                            {"vendor data sheet, unverified", "unverified"},
                                                            {"vendor data sheet", "data sheet"},
                                                            {"assumed", "assumed"},
                                                            {"set ", "set"}};
  for (const auto& [start, mark] : kMarks) {
    if (source.starts_with(start)) return mark;
  }
  return source.empty() ? "no source" : "by hand";
}

std::string drawn(const Platform& platform) {
  std::string text = shortened(platform.name, kColumns) + "\n";
  std::string gpus = count_of(platform.gpus_per_node, "GPU");
  if (platform.gpu) gpus += fmt::format(" ({})", shortened(platform.gpu->name, 30));
  text += shortened(fmt::format("{} of {}, {} each; device {}", count_of(platform.nodes, "node"), gpus,
                                to_text(platform.device_memory), platform.device),
                    kColumns);
  text += "\n\nnode\n";
  draw(node_of(platform), "", text);
  text += gpu_links_drawn(platform);
  text += "\nfigures and their sources\n" + figures_of(platform).text();
  return text;
}

}  // namespace spillway
