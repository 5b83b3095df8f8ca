#include "tests/cli/good_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "core/io/files.h"
#include "tests/cli/program.h"
#include "tests/support/chain_trace.h"

namespace spillway {
namespace fs = std::filesystem;

namespace {

/// Both layers: 256 bytes out, 128 bytes of weights, gradient and optimizer state each; 1 ms forward, 2 ms back.
Trace small_chain() {
  Trace trace = chain_trace({.layers = {{.out = {256}, .weights = {128}}, {.out = {256}, .weights = {128}}},
                             .batches = {1, 2},
                             .link = {1e6}});
  trace.provenance = {.command = "by hand",
                      .date = "2026-01-01T00:00:00Z",
                      .machine = "test",
                      .device = "cpu",
                      .library = "none",
                      .instruction_set = "none",
                      .threads = 1};
  for (const std::int64_t ranks : {2, 3}) {
    trace.all_reduces.push_back({.ranks = ranks, .points = {{.bytes = 1_KiB, .seconds = 5.0_ms}}});
  }
  return trace;
}

void must_run(const fs::path& folder, const std::vector<std::string>& arguments) {
  const ProgramResult result = run_spillway(folder, arguments);
  if (result.exit_code != 0) throw std::runtime_error("a good file can't be made: " + result.err);
}

void make_good_files(const fs::path& path) {
  write_content(path / "chain.trace.json", trace_text(small_chain()));
  must_run(path, {"tune", "chain.trace.json", "--policy", "swap-all", "--capacity", "1024", "--batch", "1", "-o",
                  "chain.plan.json"});
  must_run(path, {"lower", "chain.plan.json", "-o", "chain.schedule.json"});
  must_run(path, {"simulate", "chain.plan.json", "--timeline", "chain.timeline.json"});
  must_run(path, {"profile", "mlp", "--set", "width=32", "--set", "depth=1", "--set", "inputs=16", "--batch", "4",
                  "--device", "cpu:threads=1", "-o", "mlp.trace.json"});
  must_run(path, {"tune", "mlp.trace.json", "-o", "mlp.plan.json"});
  must_run(path, {"execute", "mlp.plan.json", "--steps", "2", "--save", "mlp.safetensors"});
  fs::create_directory(path / "data");
  write_zeros(path / "data/image.npy", "<f4", "8, 16", 8 * 16 * 4);
  write_zeros(path / "data/labels.npy", "<i8", "8,", 8 * 8);
}

/// A profile takes ten seconds and each test is a process: whichever comes first leaves its files to the others, under
/// a name that tells which programs made them.
fs::path good_files() {
  const auto changed = [](const fs::path& program) { return fs::last_write_time(program).time_since_epoch().count(); };
  const fs::path all = fs::path(SPILLWAY_BUILD_DIR) / "good_files";
  const fs::path made = all / fmt::format("{}-{}", changed(SPILLWAY_PROGRAM), changed("/proc/self/exe"));
  if (fs::exists(made)) return made;
  const fs::path making = all / fmt::format("making-{}", ::getpid());
  fs::create_directories(making);
  make_good_files(making);
  std::error_code other_was_first;
  fs::rename(making, made, other_was_first);
  if (other_was_first) fs::remove_all(making);
  return made;
}

}  // namespace

void copy_good_files(const fs::path& folder) {
  fs::copy(good_files(), folder, fs::copy_options::recursive);
}

void edit(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = content_of(file);
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error(file.string() + ": has no '" + from + "' to replace");
  write_content(file, text.replace(at, from.size(), to));
}

void write_zeros(const fs::path& file, const std::string& type, const std::string& shape, std::size_t bytes) {
  // Format: NEP 1, version 1.0: magic, version, a 16-bit length, a Python dictionary padded to a multiple of 64.
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() % 256);
  text += static_cast<char>(header.size() / 256);
  write_content(file, text + header + std::string(bytes, '\0'));
}

}  // namespace spillway
