#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>
#include <regex>

#include "core/io/files.h"
#include "core/units.h"
#include "tests/cli/good_files.h"
#include "tests/cli/program.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

struct BadInput {
  std::string name;
  Arguments arguments;  ///< run in a folder with the good files
  int exit_code = 2;
  std::string line;  ///< all of stderr, without "spillway: " and the newline
  std::function<void(const fs::path& folder)> spoil = [](const fs::path&) {};
  Surroundings surroundings = {};
};

void PrintTo(const BadInput& bad, std::ostream* out) {
  *out << "spillway";
  for (const std::string& argument : bad.arguments) *out << ' ' << argument;
}

std::string name_of_case(const testing::TestParamInfo<BadInput>& tested) {
  return tested.param.name;
}

/// Every file of the folder, with its content.
std::map<std::string, std::string> snapshot(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    files[entry.path().string()] = entry.is_regular_file() ? content_of(entry.path()) : "";
  }
  return files;
}

/// Rates that were measured on this machine differ from run to run.
std::string without_measured_rates(const std::string& text) {
  return std::regex_replace(text, std::regex("copies [0-9.]+ GB/s"), "copies RATE");
}

/// As a user would who edits a trace and then makes the plan believe it.
void edit_trace_of_plan(const fs::path& folder, const std::string& model, const std::string& from,
                        const std::string& to) {
  const fs::path trace = folder / (model + ".trace.json"), plan = folder / (model + ".plan.json");
  const std::string before = sha256_of_file(trace.string());
  edit(trace, from, to);
  edit(plan, before, sha256_of_file(trace.string()));
}

std::function<void(const fs::path&)> editing(const std::string& file, const std::string& from, const std::string& to) {
  return [=](const fs::path& folder) { edit(folder / file, from, to); };
}

class BadInputTest : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsRefusedWithOneLineAndLeavesNoFile) {
  const BadInput& bad = GetParam();
  const TemporaryFolder folder;
  copy_good_files(folder.path());
  bad.spoil(folder.path());
  const auto before = snapshot(folder.path());
  const ProgramResult result = run_spillway(folder.path(), bad.arguments, bad.surroundings);
  EXPECT_EQ(without_measured_rates(result.err), "spillway: " + bad.line + "\n");
  EXPECT_EQ(result.exit_code, bad.exit_code);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(snapshot(folder.path()) == before) << "a file was left, changed or removed";
}

constexpr const char* kTune = "tune";

const BadInput kFlags[] = {
    {.name = "UnknownCommand",
     .arguments = {"profil"},
     .line = "found the command 'profil', expected one of compare, doctor, execute, list, lower, profile, show, "
             "simulate, sweep, tune, verify; did you mean 'profile'?"},
    {.name = "UnknownFlag",
     .arguments = {kTune, "chain.trace.json", "--capacty", "45%", "-o", "x"},
     .line = "tune: found '--capacty', which it doesn't take; did you mean '--capacity'?"},
    {.name = "UnknownFlagLikeNoOther",
     .arguments = {"execute", "mlp.plan.json", "--quantization"},
     .line = "execute: found '--quantization', which it doesn't take; see 'spillway execute --help'"},
    {.name = "OneFileTooMany",
     .arguments = {"compare", "a", "b", "c"},
     .line = "compare: found 'c', which it doesn't take; see 'spillway compare --help'"},
    {.name = "MissingFile", .arguments = {kTune}, .line = "tune: TRACE is required; see 'spillway tune --help'"},
    {.name = "MissingOutput",
     .arguments = {"lower", "chain.plan.json"},
     .line = "lower: --output is required; see 'spillway lower --help'"},
    {.name = "NoModel",
     .arguments = {"profile", "-o", "x"},
     .line = "profile: found no MODEL, expected one of 'spillway list models', or --machine to measure only the "
             "machine"},
    {.name = "ModelAndMachine",
     .arguments = {"profile", "mlp", "--machine", "-o", "x"},
     .line = "profile: --machine measures no model; leave MODEL, --set, --batch, --optimizer, --layout and --tf32 out"},
    {.name = "Tf32WithoutAModel",
     .arguments = {"profile", "--machine", "--device", "cuda", "--tf32", "-o", "x"},
     .line = "profile: --machine measures no model; leave MODEL, --set, --batch, --optimizer, --layout and --tf32 out"},
    {.name = "Tf32OnAProcessor",
     .arguments = {"profile", "mlp", "--tf32", "-o", "x"},
     .line = "profile: --tf32: found --device cpu, expected cuda: only a GPU's tensor cores round to TF32"},
    {.name = "Tf32OfATraceWithoutIt",
     .arguments = {kTune, "chain.trace.json", "--platform", "cuda:tf32", "-o", "x"},
     .line = "--platform cuda:tf32: the trace's kernels don't round to TF32; record them with 'spillway profile "
             "--tf32'"},
    {.name = "NoMicroBatch",
     .arguments = {kTune, "chain.trace.json", "--micro-batches", "0", "-o", "x"},
     .line = "--micro-batches: found '0', expected a number from 1 to 64"},
    {.name = "UnknownModel",
     .arguments = {"profile", "mpl", "-o", "x"},
     .line = "model 'mpl': unknown; did you mean 'mlp'?"},
    {.name = "UnknownSetting",
     .arguments = {"profile", "mlp", "--set", "widht=3", "-o", "x"},
     .line = "model 'mlp': widht: no such setting; did you mean 'width'?"},
    {.name = "SettingThatIsNoNumber",
     .arguments = {"profile", "mlp", "--set", "width=wide", "-o", "x"},
     .line = "model 'mlp': width: found 'wide', expected a whole number from 1 to 1048576"},
    {.name = "UnknownOptimizer",
     .arguments = {"profile", "mlp", "--optimizer", "adm", "-o", "x"},
     .line = "optimizer 'adm': unknown, expected adam or sgd; did you mean 'adam'?"},
    {.name = "UnknownDevice",
     .arguments = {"profile", "mlp", "--device", "gpu", "-o", "x"},
     .line = "--device gpu: no device 'gpu'; did you mean 'cpu'?"},
    {.name = "UnknownDeviceSetting",
     .arguments = {"profile", "mlp", "--device", "cpu:thread=1", "-o", "x"},
     .line = "--device cpu:thread=1: no setting 'thread'; did you mean 'threads'?"},
    {.name = "CudaThatIsNotBuilt",
     .arguments = {"profile", "mlp", "--device", "cuda:0", "-o", "x"},
     .exit_code = 3,
     .line = "this build has no CUDA device"},
    {.name = "UnknownPolicy",
     .arguments = {kTune, "chain.trace.json", "--policy", "swap-al", "-o", "x"},
     .line = "policy 'swap-al': there is no such policy; did you mean 'swap-all'?; there are in-memory, swap-all, "
             "tflms, threshold"},
    {.name = "BatchZero",
     .arguments = {"profile", "mlp", "--batch", "0", "-o", "x"},
     .line = "--batch: found '0', expected numbers from 1 on with commas between them: 1,2,4"},
    {.name = "UnprofiledBatch",
     .arguments = {kTune, "chain.trace.json", "--batch", "5", "-o", "x"},
     .line = "batch 5 wasn't profiled; the trace of 'chain' has 1, 2; profile it with --batch 5"},
    {.name = "CapacityWithoutUnit",
     .arguments = {kTune, "chain.trace.json", "--capacity", "12 GiBs", "-o", "x"},
     .line = "--capacity: found '12 GiBs', expected a size above zero such as 12GiB, 640MiB or 12e9"},
    {.name = "CapacityOfNothing",
     .arguments = {kTune, "chain.trace.json", "--capacity", "0%", "-o", "x"},
     .line = "--capacity: found '0%', expected a share of the footprint such as 45%"},
    {.name = "KeepOfABufferThatIsNotThere",
     .arguments = {kTune, "chain.trace.json", "--keep", "enc*", "-o", "x"},
     .line = "--keep 'enc*': no buffer of 'chain' has such a name"},
    {.name = "PlatformThatIsNotThere",
     .arguments = {kTune, "chain.trace.json", "--platform", "v100.json", "-o", "x"},
     .line = "--platform: found 'v100.json', expected a preset ('spillway list platforms'), a platform file that is "
             "there or a device such as cpu:link=0.85GB/s"},
    {.name = "PlatformLikeAPreset",
     .arguments = {"simulate", "chain.plan.json", "--platform", "dgx1v100"},
     .line = "--platform: found 'dgx1v100', expected a preset ('spillway list platforms'), a platform file that is "
             "there or a device such as cpu:link=0.85GB/s; did you mean 'dgx1-v100'?"},
    {.name = "PlatformOfAnotherKindOfFile",
     .arguments = {kTune, "chain.trace.json", "--platform", "chain.plan.json", "-o", "x"},
     .line = "chain.plan.json: /format: found 'spillway-plan', expected 'spillway-platform'"},
    {.name = "ShowOfAFileLikeAPreset",
     .arguments = {"show", "sumit"},
     .line = "sumit: there is no such file or preset; did you mean the preset 'summit'?"},
    {.name = "GpuOfNoName",
     .arguments = {kTune, "chain.trace.json", "--platform", "summit", "--gpu", "a10", "-o", "x"},
     .line = "--gpu: found 'a10', expected one of v100, v100-pcie, a100, a100-pcie, h100, gh200, gb300, rtx4090, l4; "
             "did you mean 'a100'?"},
    {.name = "GpuForACpu",
     .arguments = {"simulate", "chain.plan.json", "--gpu", "v100"},
     .line = "--gpu v100: 'test' has no GPU to put another in place of; name a machine with --platform"},
    {.name = "GpusZero",
     .arguments = {kTune, "chain.trace.json", "--gpus", "0", "-o", "x"},
     .line = "tune: --gpus: found '0', expected a whole number above 0; see 'spillway tune --help'"},
    {.name = "MoreGpusThanThePresetHas",
     .arguments = {kTune, "chain.trace.json", "--platform", "ac922-4", "--gpus", "6", "-o", "x"},
     .line = "--gpus: found 6, expected at most 4: what a node of 'ac922-4 (IBM AC922 8335-GTG, POWER9)' has; --nodes "
             "gives more"},
    {.name = "GpusThatTwoSocketsCantShare",
     .arguments = {kTune, "chain.trace.json", "--platform", "summit", "--gpus", "5", "-o", "x"},
     .line = "--gpus: found 5, which the sockets and switches of 'summit (IBM AC922 8335-GTW, POWER9)' can't share "
             "evenly; it has 6 GPUs a node"},
    {.name = "NodesInWords",
     .arguments = {"simulate", "chain.plan.json", "--nodes", "two"},
     .line = "simulate: --nodes: found 'two', expected a whole number above 0; see 'spillway simulate --help'"},
    {.name = "NoSuchEngine",
     .arguments = {"simulate", "chain.plan.json", "--engine", "simgird"},
     .line = "simulate: --engine: found 'simgird', expected replica or simgrid; did you mean 'simgrid'?"},
    {.name = "SettingWithoutAValue",
     .arguments = {"simulate", "chain.plan.json", "--set", "device_memory_bytes"},
     .line = "--set device_memory_bytes: expected PATH=VALUE such as host_link.bandwidth_bytes_per_second=64GB/s"},
    {.name = "SettingOfAnUnknownKey",
     .arguments = {"simulate", "chain.plan.json", "--set", "host_link.inn=64GB/s"},
     .line = "--set host_link.inn=64GB/s: found the key 'inn', 'host_link' has in, out, start_seconds, both, "
             "start_source, bandwidth_bytes_per_second; did you mean 'in'?"},
    {.name = "SettingOfWhatThePlatformHasNot",
     .arguments = {"simulate", "chain.plan.json", "--set", "uplink.gpus=2"},
     .line = "--set uplink.gpus=2: found the key 'uplink', the platform has name, device, nodes, gpus_per_node, "
             "device_memory_bytes, host_memory_bytes, host_link"},
    {.name = "SettingOfSeveralFigures",
     .arguments = {"simulate", "chain.plan.json", "--set", "host_link.in=64GB/s"},
     .line = "--set host_link.in=64GB/s: 'host_link.in' has no value of its own, expected one of its keys: "
             "bandwidth_bytes_per_second, source"},
    {.name = "SettingThatIsNoRate",
     .arguments = {"simulate", "chain.plan.json", "--set", "host_link.bandwidth_bytes_per_second=fast"},
     .line = "--set host_link.bandwidth_bytes_per_second=fast: found 'fast', expected a rate above zero such as "
             "0.85GB/s"},
    {.name = "SettingThatMakesNoMachine",
     .arguments = {"simulate", "chain.plan.json", "--platform", "summit", "--set", "gpus_per_node=2"},
     .line = "--set gpus_per_node=2: /gpu_links/bricks/1/b: found 2, expected a GPU of the node: below 2"},
    {.name = "GpuTooSmallForTheProcess",
     .arguments = {kTune, "chain.trace.json", "--platform", "l4", "--set", "device_memory_bytes=1MiB", "-o", "x"},
     .line = "'l4 (one L4) with --set device_memory_bytes=1MiB' has 1.00 MiB of device memory and the process needs "
             "2.00 MiB: nothing is left",
     .spoil = editing("chain.trace.json", "\"process_bytes\": 0", "\"process_bytes\": 2097152")},
    {.name = "StepsZero",
     .arguments = {"execute", "mlp.plan.json", "--steps", "0"},
     .line = "execute: --steps: found '0', expected a whole number above 0; see 'spillway execute --help'"},
    {.name = "StepsInWords",
     .arguments = {"execute", "mlp.plan.json", "--steps", "ten"},
     .line = "execute: --steps: found 'ten', expected a whole number above 0; see 'spillway execute --help'"},
    {.name = "LearningRateInWords",
     .arguments = {"execute", "mlp.plan.json", "--learning-rate", "fast"},
     .line = "--learning-rate: found 'fast', expected 0.01, step:BASE,FACTOR,STEPS or cosine:BASE,STEPS with numbers "
             "above 0"},
    {.name = "ResumeWithoutCheckpoint",
     .arguments = {"execute", "mlp.plan.json", "--resume"},
     .line = "--resume: needs --checkpoint DIR, the directory to resume from"},
    {.name = "ToleranceWithoutPercent",
     .arguments = {"compare", "chain.timeline.json", "chain.timeline.json", "--tolerance", "5"},
     .line = "--tolerance: found '5', expected a percentage such as 5%"},
    {.name = "ListOfSomethingElse",
     .arguments = {"list", "model"},
     .line = "list: found 'model', expected one of models, platforms, policies, devices; did you mean 'models'?"},
};

const BadInput kFiles[] = {
    {.name = "FileThatIsNotThere",
     .arguments = {"simulate", "missing.json"},
     .line = "missing.json: can't be read: No such file or directory"},
    {.name = "DirectoryForAFile", .arguments = {"simulate", "data"}, .line = "data: can't be read: Is a directory"},
    {.name = "TraceForAPlan",
     .arguments = {"execute", "chain.trace.json"},
     .line = "chain.trace.json: found a trace, expected a plan or a schedule; make a plan of it with 'spillway tune'"},
    {.name = "PlanForASchedule",
     .arguments = {"verify", "chain.plan.json"},
     .line = "chain.plan.json: /format: found 'spillway-plan', expected 'spillway-schedule'"},
    {.name = "JsonOfSomeoneElse",
     .arguments = {"show", "other.json"},
     .line = "other.json: /: found no \"format\" of ours, expected a trace, plan, schedule, platform or timeline",
     .spoil = [](const fs::path& folder) { write_content(folder / "other.json", "{\"a\": 1}\n"); }},
    {.name = "EmptyFile",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: line 1: the file ends in the middle of the JSON; is it cut off?",
     .spoil = [](const fs::path& folder) { write_content(folder / "chain.trace.json", ""); }},
    {.name = "CutJson",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: line 3: the file ends in the middle of the JSON; is it cut off?",
     .spoil =
         [](const fs::path& folder) {
           write_content(folder / "chain.trace.json", "{\n  \"format\": \"spillway-trace\",\n  \"version\":");
         }},
    {.name = "NotJson",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: line 3, column 14: found something that isn't JSON",
     .spoil = editing("chain.trace.json", "\"version\": 1", "\"version\": one")},
    {.name = "UnknownKey",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: /: found the key 'isue_seconds', expected one of format, version, provenance, machine, "
             "issue_seconds, process_bytes, interference_bytes_per_second, copies, all_reduces, layouts, "
             "steps_in_place, batches, graph; did "
             "you mean 'issue_seconds'?",
     .spoil = editing("chain.trace.json", "\"issue_seconds\"", "\"isue_seconds\"")},
    {.name = "KeyTwice",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: found the key 'issue_seconds' twice in one object, expected it once",
     .spoil = editing("chain.trace.json", "\"issue_seconds\"", "\"issue_seconds\": 1, \"issue_seconds\"")},
    {.name = "WrongType",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: /issue_seconds: found 'none', expected a number of at least 0",
     .spoil = editing("chain.trace.json", "\"issue_seconds\": 0.0", "\"issue_seconds\": \"none\"")},
    {.name = "WrongFormat",
     .arguments = {kTune, "chain.plan.json", "-o", "x"},
     .line = "chain.plan.json: /format: found 'spillway-plan', expected 'spillway-trace'"},
    {.name = "VersionOfTheFuture",
     .arguments = {"simulate", "chain.plan.json"},
     .line = "chain.plan.json: /version: found 2, expected 1; the file is from another version of Spillway",
     .spoil = editing("chain.plan.json", "\"version\": 1", "\"version\": 2")},
    {.name = "NegativeDuration",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: /batches/0/kernels/0/seconds: found -0.001, expected a number above 0",
     .spoil = editing("chain.trace.json", "\"seconds\": 0.001", "\"seconds\": -0.001")},
    {.name = "MissingDuration",
     .arguments = {kTune, "chain.trace.json", "-o", "x"},
     .line = "chain.trace.json: /batches/0/kernels/0: found no key 'seconds', expected one",
     .spoil = editing("chain.trace.json", "\"seconds\": 0.001, ", "")},
    {.name = "UnknownOpInAPlan",
     .arguments = {"simulate", "chain.plan.json"},
     .line = "chain.plan.json: /swaps/0/before: found 'l0.foward', expected the name of an op; did you mean "
             "'l0.forward'?",
     .spoil = editing("chain.plan.json", "\"before\": \"l0.forward\"", "\"before\": \"l0.foward\"")},
    {.name = "TraceMoved",
     .arguments = {"simulate", "chain.plan.json"},
     .line = "chain.plan.json: /trace/path: found 'chain.trace.json', expected a trace there (relative to this file); "
             "put the trace back or run 'spillway tune' again",
     .spoil = [](const fs::path& folder) { fs::rename(folder / "chain.trace.json", folder / "moved.json"); }},
    {.name = "TraceChanged",
     .arguments = {"simulate", "chain.plan.json"},
     .line =
         "chain.plan.json: /trace/sha256: the trace 'chain.trace.json' isn't the one that this was made for: it has "
         "changed; run 'spillway tune' again",
     .spoil = editing("chain.trace.json", "\"seconds\": 0.001", "\"seconds\": 0.002")},
    // l1.backward reads l1.grad and l0.out (256 bytes each) and w1 (128), and writes w1.grad (128) and l0.grad (256).
    {.name = "CapacityTooSmallInThePlan",
     .arguments = {"simulate", "chain.plan.json"},
     .exit_code = 1,
     .line = "chain.plan.json: the arena needs 1.00 KiB, it may have 100 B: short by 924 B at op 'l1.backward'; run "
             "'spillway tune' again with what there is",
     .spoil = editing("chain.plan.json", "\"capacity_bytes\": 1024", "\"capacity_bytes\": 100")},
    // At the loss all is there but weight gradients and l0.grad, at multiples of 64 bytes: two weights and two states
    // (128 each), two outs and l1.grad (256 each), image, labels and loss (64 each): 1472 bytes.
    {.name = "CapacityTooSmall",
     .arguments = {kTune, "chain.trace.json", "--policy", "in-memory", "--capacity", "100", "-o", "x"},
     .exit_code = 1,
     .line = "policy 'in-memory' finds no plan: the arena needs 1.44 KiB, it may have 100 B: short by 1.34 KiB at op "
             "'loss'; the smallest capacity that would do: 1.44 KiB (1472 bytes)"},
    {.name = "OutputInAFolderThatIsNotThere",
     .arguments = {kTune, "chain.trace.json", "-o", "plans/x"},
     .line = "plans/x: there is no directory 'plans'"},
    {.name = "OutputThatIsAFolder",
     .arguments = {"lower", "chain.plan.json", "-o", "data"},
     .line = "data: is a directory, expected a file's name"},
    {.name = "DiskFull",
     .arguments = {kTune, "chain.trace.json", "-o", "/dev/full"},
     .exit_code = 3,
     .line = "/dev/full: can't be written: No space left on device"},
    {.name = "FileLimitReached",
     .arguments = {"lower", "chain.plan.json", "-o", "x"},
     .exit_code = 3,
     .line = "x: can't be written: File too large",
     .surroundings = {.largest_file = 2000_B}},
    {.name = "FileLimitReachedOverAGoodFile",
     .arguments = {"lower", "chain.plan.json", "-o", "chain.schedule.json"},
     .exit_code = 3,
     .line = "chain.schedule.json: can't be written: File too large",
     .surroundings = {.largest_file = 2000_B}},
};

const BadInput kTraining[] = {
    {.name = "AnotherThreadCount",
     .arguments = {"execute", "mlp.plan.json", "--device", "cpu:threads=2"},
     .exit_code = 3,
     .line = "this device runs with threads = 2, the trace was recorded with 1: kernels and times would be others; "
             "profile again here or execute there"},
    {.name = "AnotherLibrary",
     .arguments = {"execute", "mlp.plan.json", "--device", "cpu:threads=1"},
     .exit_code = 3,
     .line = "this device runs with library oneDNN 2.6.3, the trace was recorded with oneDNN 1.0.0: kernels and times "
             "would be others; profile again here or execute there",
     .spoil =
         [](const fs::path& folder) {
           edit_trace_of_plan(folder, "mlp", "\"library\": \"oneDNN 2.6.3\"", "\"library\": \"oneDNN 1.0.0\"");
         }},
    {.name = "LinkFasterThanTheTracedMachine",
     .arguments = {kTune, "mlp.trace.json", "--platform", "cpu:link=4000GB/s", "-o", "x"},
     .exit_code = 3,
     .line = "--platform cpu:link=4000GB/s: the traced machine copies RATE; ask for at most that"},
    {.name = "LinkFasterThanThisMachine",
     .arguments = {"execute", "mlp.plan.json", "--device", "cpu:link=4000GB/s,threads=1"},
     .exit_code = 3,
     .line = "--device cpu:link=4000GB/s,threads=1: this machine copies RATE, in and out together; ask for at most "
             "that"},
    {.name = "MissingArray",
     .arguments = {"execute", "mlp.plan.json", "--data", "data"},
     .line = "data/labels.npy: found no such file, expected one for each input: image.npy, labels.npy",
     .spoil = [](const fs::path& folder) { fs::remove(folder / "data/labels.npy"); }},
    {.name = "ArrayOfAnotherShape",
     .arguments = {"execute", "mlp.plan.json", "--data", "data"},
     .line = "data/image.npy: found shape (8, 15), expected (samples, 16)",
     .spoil = [](const fs::path& folder) { write_zeros(folder / "data/image.npy", "<f4", "8, 15", 8 * 15 * 4); }},
    {.name = "ArrayOfAnotherType",
     .arguments = {"execute", "mlp.plan.json", "--data", "data"},
     .line = "data/image.npy: found dtype '<f8', expected '<f4' or '|u1'; save array.astype('<f4')",
     .spoil = [](const fs::path& folder) { write_zeros(folder / "data/image.npy", "<f8", "8, 16", 8 * 16 * 8); }},
    {.name = "ArrayThatIsCut",
     .arguments = {"execute", "mlp.plan.json", "--data", "data"},
     .line = "data/image.npy: found 100 bytes of elements, expected 512 for dtype '<f4' and shape (8, 16)",
     .spoil = [](const fs::path& folder) { write_zeros(folder / "data/image.npy", "<f4", "8, 16", 100); }},
    {.name = "LabelOutOfRange",
     .arguments = {"execute", "mlp.plan.json", "--data", "data"},
     .line = "data/labels.npy: element 7: found label 10, expected 0 to 9",
     .spoil =
         [](const fs::path& folder) {
           std::string labels = content_of(folder / "data/labels.npy");
           labels[labels.size() - 8] = 10;
           write_content(folder / "data/labels.npy", labels);
         }},
    {.name = "WeightsThatAreCut",
     .arguments = {"execute", "mlp.plan.json", "--weights", "mlp.safetensors"},
     .line = "mlp.safetensors: found 5 bytes, expected a safetensors file of at least 8",
     .spoil = [](const fs::path& folder) { fs::resize_file(folder / "mlp.safetensors", 5); }},
    // A safetensors file begins with its header's length: here the bytes of "These ar", least significant first.
    {.name = "WeightsThatAreText",
     .arguments = {"execute", "mlp.plan.json", "--weights", "weights.txt"},
     .line = "weights.txt: byte 0: found a header of 8241904413164529748 bytes, expected at most 13; the file is cut "
             "short or no safetensors file",
     .spoil = [](const fs::path& folder) { write_content(folder / "weights.txt", "These aren't weights\n"); }},
    {.name = "WeightsThatAreNotThere",
     .arguments = {"execute", "mlp.plan.json", "--weights", "nowhere"},
     .line = "nowhere: can't be read: No such file or directory"},
};

INSTANTIATE_TEST_SUITE_P(Flags, BadInputTest, testing::ValuesIn(kFlags), &name_of_case);
INSTANTIATE_TEST_SUITE_P(Files, BadInputTest, testing::ValuesIn(kFiles), &name_of_case);
INSTANTIATE_TEST_SUITE_P(Training, BadInputTest, testing::ValuesIn(kTraining), &name_of_case);

/// What can't be said in one line of stderr that is the same everywhere.
class EditedFiles : public testing::Test {
 protected:
  void SetUp() override { copy_good_files(folder_.path()); }
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  [[nodiscard]] ProgramResult run(const Arguments& arguments) const { return run_spillway(folder(), arguments); }

 private:
  TemporaryFolder folder_;
};

TEST_F(EditedFiles, GoodFilesAreTaken) {
  for (const Arguments& arguments :
       {Arguments{"verify", "chain.schedule.json"},
        {"simulate", "chain.plan.json"},
        {"show", "chain.trace.json"},
        {"compare", "chain.timeline.json", "chain.timeline.json", "--tolerance", "0%"},
        {"execute", "mlp.plan.json", "--steps", "1", "--data", "data", "--weights", "mlp.safetensors"}}) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.exit_code, 0) << arguments.front();
  }
}

TEST_F(EditedFiles, AnotherInstructionSetIsRefused) {
  const Trace trace = read_trace((folder() / "mlp.trace.json").string());
  const std::string here = trace.provenance.instruction_set;
  edit_trace_of_plan(folder(), "mlp", "\"instruction_set\": \"" + here + "\"", "\"instruction_set\": \"sse41\"");
  const ProgramResult result = run({"execute", "mlp.plan.json"});
  EXPECT_EQ(result.err, "spillway: this device runs with instruction set " + here +
                            ", the trace was recorded with sse41: kernels and times would be others; profile again "
                            "here or execute there\n");
  EXPECT_EQ(result.exit_code, 3);
}

TEST_F(EditedFiles, AScheduleWithoutItsWaitsIsNotSafe) {
  const fs::path file = folder() / "chain.schedule.json";
  write_content(file, std::regex_replace(content_of(file), std::regex("\"waits\": \\[[0-9, ]*\\]"), "\"waits\": []"));
  const ProgramResult verified = run({"verify", "chain.schedule.json"});
  EXPECT_EQ(verified.exit_code, 1);
  EXPECT_EQ(verified.err, "");
  const auto lines = std::count(verified.out.begin(), verified.out.end(), '\n');
  EXPECT_GE(lines, 2) << verified.out;
  const std::string last = "chain.schedule.json: not safe to run: " + std::to_string(lines - 1) +
                           " violations; docs/verifier.md explains the rules\n";
  EXPECT_TRUE(verified.out.ends_with(last)) << verified.out;

  const std::string first = verified.out.substr(0, verified.out.find('\n'));
  for (const char* command : {"simulate", "execute"}) {
    const ProgramResult result = run({command, "chain.schedule.json"});
    EXPECT_EQ(result.err, "spillway: chain.schedule.json: isn't safe to run (" + std::to_string(lines - 1) +
                              " violations), the first: " + first + "\n");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
  }
}

TEST_F(EditedFiles, TimelinesOfTwoSchedulesAreNotCompared) {
  ASSERT_EQ(run({"tune", "chain.trace.json", "--policy", "in-memory", "-o", "kept.json"}).exit_code, 0);
  ASSERT_EQ(run({"simulate", "kept.json", "--timeline", "kept.timeline.json"}).exit_code, 0);
  const Timeline swapped = read_timeline((folder() / "chain.timeline.json").string());
  const Timeline kept = read_timeline((folder() / "kept.timeline.json").string());
  const ProgramResult result = run({"compare", "chain.timeline.json", "kept.timeline.json"});
  EXPECT_EQ(result.err, "spillway: the timelines '" + swapped.title + "' (" + std::to_string(swapped.events.size()) +
                            " events) and '" + kept.title + "' (" + std::to_string(kept.events.size()) +
                            " events) aren't of one schedule\n");
  EXPECT_EQ(result.exit_code, 2);
}

TEST_F(EditedFiles, TimelinesThatDifferByMoreThanTheToleranceAreANo) {
  Timeline slower = read_timeline((folder() / "chain.timeline.json").string());
  slower.step = slower.step * 1.1;
  write_content(folder() / "slower.json", timeline_text(slower));
  // slower / chain - 1 = 10 %; chain / slower - 1 = 1 / 1.1 - 1 = -9.09 %.
  EXPECT_EQ(run({"compare", "slower.json", "chain.timeline.json", "--tolerance", "9.5%"}).exit_code, 1);
  const ProgramResult within = run({"compare", "chain.timeline.json", "slower.json", "--tolerance", "9.5%"});
  EXPECT_EQ(within.exit_code, 0);
  EXPECT_TRUE(within.out.ends_with("the steps differ by -9.1 %: within 9.5%\n")) << within.out;
}

TEST_F(EditedFiles, AFullStdoutIsAFailureOfTheMachine) {
  for (const Arguments& arguments : {Arguments{"show", "chain.plan.json"}, {"simulate", "chain.plan.json", "--json"}}) {
    const ProgramResult result = run_spillway(folder(), arguments, {.largest_file = {}, .full_stdout = true});
    EXPECT_EQ(result.err, "spillway: stdout: can't be written to\n");
    EXPECT_EQ(result.exit_code, 3);
  }
}

}  // namespace
}  // namespace spillway
