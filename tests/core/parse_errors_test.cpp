#include <gtest/gtest.h>

#include <ostream>

#include "core/error.h"
#include "tests/core/files_on_disk.h"
#include "tests/support/chain_trace.h"
#include "tests/support/full_platform.h"

namespace spillway {
namespace {

/// One edit of a good file of a chain of two layers, and the complaint behind "FILE: ".
struct ParseCase {
  std::string name, file, from, to, expected;
};

void PrintTo(const ParseCase& c, std::ostream* out) {
  *out << c.file << ": " << c.to;
}

class ParseErrorTest : public testing::TestWithParam<ParseCase> {
 protected:
  /// A file of the chain, whose l0.out is swapped.
  static std::string text_of(const std::string& file, const std::string& trace_sha256) {
    static const Trace trace = make_trace();
    if (file == "machine.json") return platform_text(full_platform());
    if (file == "trace.json") return trace_text(trace);
    Plan plan;
    plan.trace_path = "trace.json";
    plan.trace_sha256 = trace_sha256;
    plan.platform = trace.machine;
    plan.capacity = 1_MiB;
    plan.policy = "by hand";
    const BufferId out = buffer_with_name(trace.graph, "l0.out");
    const Position forward{op_with_name(trace.graph, "l1.forward").index()},
        backward{op_with_name(trace.graph, "l1.backward").index()};
    plan.swaps.push_back(
        {.gap = {out, forward, backward}, .release = forward, .begin = backward, .mode = {}, .remark = {}});
    if (file == "plan.json") return plan_text(plan, trace.graph);
    const Schedule schedule = std::get<Schedule>(lower(trace, plan));
    if (file == "schedule.json") return schedule_text(schedule, trace.graph);
    if (file == "platform.json") return platform_text(trace.machine);
    return timeline_text(simulate(trace, schedule, trace.machine));
  }
  static Trace make_trace() {
    Trace made = chain_trace({.layers = {{.out = {256}, .weights = {128}}, {.out = {256}, .weights = {128}}}});
    made.copies.in = {{4096_B, {1e-6}}, {8192_B, {2e-6}}};
    return made;
  }
  static void read(const std::string& path, const std::string& file) {
    if (file == "trace.json") static_cast<void>(read_trace(path));
    if (file == "plan.json") static_cast<void>(read_plan(path));
    if (file == "schedule.json") static_cast<void>(read_schedule(path));
    if (file == "timeline.json") static_cast<void>(read_timeline(path));
    if (file == "platform.json" || file == "machine.json") static_cast<void>(read_platform(path));
  }
};

TEST_P(ParseErrorTest, NamesPlaceFoundAndExpected) {
  const ParseCase& c = GetParam();
  const FilesOnDisk files(1);
  const std::string trace = text_of("trace.json", "");
  files.write("trace.json", trace);
  std::string text = text_of(c.file, sha256(trace));
  const std::size_t at = text.find(c.from);
  ASSERT_NE(at, std::string::npos) << c.from << "\n" << text;
  files.write(c.file, text);
  EXPECT_NO_THROW(read(files.path(c.file), c.file));
  files.write(c.file, text.replace(at, c.from.size(), c.to));
  try {
    read(files.path(c.file), c.file);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), files.path(c.file) + ": " + c.expected);
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

const ParseCase kCases[] = {
    {"NearMissOfAKind", "trace.json", "\"kind\": \"opaque\"", "\"kind\": \"opaqe\"",
     "/graph/ops/0/attributes/kind: found 'opaqe', expected a kind of op; did you mean 'opaque'?"},
    {"AttributeOfAnotherKind", "trace.json", "\"kind\": \"opaque\"", "\"kind\": \"opaque\", \"slope\": 1",
     "/graph/ops/0/attributes: found the key 'slope', which 'opaque' doesn't have"},
    {"UnknownRole", "trace.json", "\"role\": \"input\"", "\"role\": \"output\"",
     "/graph/buffers/0/role: found 'output', expected one of input, parameter, gradient, activation, "
     "optimizer_state, state, workspace, loss"},
    {"UnknownBuffer", "trace.json", "\"buffer\": \"image\"", "\"buffer\": \"imag\"",
     "/graph/tensors/0/buffer: found 'imag', expected the name of a buffer; did you mean 'image'?"},
    {"NoExtent", "trace.json", "\"extents\": [16]", "\"extents\": [0]",
     "/graph/tensors/0/extents/0: found 0, expected an integer of at least 1"},
    {"FractionOfAByte", "trace.json", "\"process_bytes\": 0", "\"process_bytes\": 0.5",
     "/process_bytes: found 0.5, expected an integer of at least 0"},
    {"IntegerAbove63Bits", "trace.json", "\"process_bytes\": 0", "\"process_bytes\": 9223372036854775808",
     "/process_bytes: found 9223372036854775808, expected an integer of at least 0 below 2^63"},
    {"GraphWithAMistake", "trace.json", "\"outputs\": [\"l0.out\"]", "\"outputs\": [\"image\"]",
     "/graph: op 'l0.forward' writes the input 'image'"},
    {"KernelIndexTooLarge", "trace.json", "\"kernel_of\": [0,", "\"kernel_of\": [99,",
     "/batches/0/kernel_of/0: found 99, expected an index below 7, the number of kernels"},
    {"OneKernelIndexTooFew", "trace.json", "\"kernel_of\": [0, ", "\"kernel_of\": [",
     "/batches/0/kernel_of: found 6 indices, expected 7: one per op"},
    {"CurveThatGoesBack", "trace.json", "{\"bytes\": 8192", "{\"bytes\": 4096",
     "/copies/in/1/bytes: found 4096, expected a size above the one before"},
    {"KeyWithALineEnd", "trace.json", "\"process_bytes\": 0", "\"process_bytes\": 0, \"a\\nb\": 1",
     "/: found the key 'a b', expected one of format, version, provenance, machine, issue_seconds, process_bytes, "
     "interference_bytes_per_second, copies, all_reduces, layouts, steps_in_place, batches, graph"},
    {"ArrayForAnObject", "platform.json",
     "\"in\": {\"bandwidth_bytes_per_second\": 1000000000.0, \"source\": \"test\"}", "\"in\": []",
     "/host_link/in: found [], expected an object"},
    {"LinkWithoutARate", "platform.json", "1000000000.0", "0",
     "/host_link/in/bandwidth_bytes_per_second: found 0, expected a number above 0"},
    {"NodeWithoutGpus", "machine.json", "\"gpus_per_node\": 4", "\"gpus_per_node\": 0",
     "/gpus_per_node: found 0, expected an integer of at least 1"},
    {"KeyThatAGpuHasNot", "machine.json", "\"tf32\"", "\"tf31\"",
     "/gpu: found the key 'tf31', expected one of name, fp32, tf32, fp16, memory, memory_measured, assumed_efficiency; "
     "did you mean "
     "'tf32'?"},
    {"KeyThatAnUplinkHasNot", "machine.json", "\"uplink\": {", "\"uplink\": {\"rate\": 1,",
     "/uplink: found the key 'rate', expected one of gpus, in, out, both"},
    {"KeyThatSocketsHaveNot", "machine.json", "\"sockets\": {", "\"sockets\": {\"linc\": 1,",
     "/sockets: found the key 'linc', expected one of count, memory, link; did you mean 'link'?"},
    {"KeyThatGpuLinksHaveNot", "machine.json", "\"gpu_links\": {", "\"gpu_links\": {\"start\": 1,",
     "/gpu_links: found the key 'start', expected one of kind, rate, bricks, start_seconds, start_source, all_reduce"},
    {"KeyThatANetworkHasNot", "machine.json", "\"network\": {", "\"network\": {\"nic\": 1,",
     "/network: found the key 'nic', expected one of nics, rate, start_seconds, start_source, behind_uplink; did you "
     "mean 'nics'?"},
    {"KeyThatBricksHaveNot", "machine.json", "{\"a\": 0", "{\"c\": 1, \"a\": 0",
     "/gpu_links/bricks/0: found the key 'c', expected one of a, b, count; did you mean 'a'?"},
    {"NoFlops", "machine.json", "\"flops_per_second\": 15000000000000.0", "\"flops_per_second\": 0",
     "/gpu/fp32/flops_per_second: found 0, expected a number above 0"},
    {"RateThatNobodyAnswersFor", "machine.json",
     "\"memory\": {\"bandwidth_bytes_per_second\": 76000000000.0, \"source\": \"measured: by nobody\"}",
     "\"memory\": {\"bandwidth_bytes_per_second\": 76e9}", "/sockets/memory: found no key 'source', expected one"},
    {"SwitchOfNoGpus", "machine.json", "\"gpus\": 2", "\"gpus\": 0",
     "/uplink/gpus: found 0, expected an integer of at least 1"},
    {"NoSocket", "machine.json", "\"sockets\": {\n    \"count\": 2", "\"sockets\": {\n    \"count\": 0",
     "/sockets/count: found 0, expected an integer of at least 1"},
    {"NoNic", "machine.json", "\"nics\": 2", "\"nics\": 0",
     "/network/nics: found 0, expected an integer of at least 1"},
    {"BehindSomething", "machine.json", "\"behind_uplink\": true", "\"behind_uplink\": 1",
     "/network/behind_uplink: found 1, expected true or false"},
    {"BricksToAGpuThatIsNotThere", "machine.json", "\"b\": 3", "\"b\": 4",
     "/gpu_links/bricks/2/b: found 4, expected a GPU of the node: below 4"},
    {"BricksToItself", "machine.json", "\"b\": 3", "\"b\": 2",
     "/gpu_links/bricks/2/b: found 2, expected another GPU than 'a'"},
    {"BricksOfOnePairTwice", "machine.json", "{\"a\": 2, \"b\": 3", "{\"a\": 1, \"b\": 0",
     "/gpu_links/bricks/2: found these two GPUs a second time, expected one entry with all their bricks"},
    {"NoBrick", "machine.json", "\"b\": 3, \"count\": 2", "\"b\": 3, \"count\": 0",
     "/gpu_links/bricks/2/count: found 0, expected an integer of at least 1"},
    {"LinksOfNoKind", "machine.json", "\"kind\": \"bricks\"", "\"kind\": \"brick\"",
     "/gpu_links/kind: found 'brick', expected one of host, switches, bricks, crossbar"},
    {"BricksOfACrossbar", "machine.json", "\"kind\": \"bricks\"", "\"kind\": \"crossbar\"",
     "/gpu_links: found the key 'bricks', expected none with kind 'crossbar'"},
    {"RateOfNoLinks", "machine.json", "\"kind\": \"bricks\"", "\"kind\": \"host\"",
     "/gpu_links: found the key 'rate', expected none with kind 'host': the host links' rates count"},
    {"BricksWithoutARate", "machine.json",
     "\"rate\": {\"bandwidth_bytes_per_second\": 25000000000.0, \"source\": \"measured: by nobody\"},", "",
     "/gpu_links: found no key 'rate', expected one with kind 'bricks'"},
    {"MicroBatchesWithoutTheirCosts", "plan.json", "\"micro_batches\": 1", "\"micro_batches\": 2",
     "/micro_batches: the trace of 'chain' doesn't say what adding up the gradients of micro-batches costs: record it "
     "again with 'spillway profile'"},
    {"TooManyMicroBatches", "plan.json", "\"micro_batches\": 1", "\"micro_batches\": 9999",
     "/micro_batches: found 9999, expected at most 64"},
    {"RunThatIsNotThere", "plan.json", "\"after\": \"l1.forward\"", "\"after\": \"l1.forward#2\"",
     "/swaps/0/after: found 'l1.forward#2', expected a run of 'l1.forward' that is there: it runs once and is "
     "recomputed less often than that"},
    {"RunNumberOne", "plan.json", "\"after\": \"l1.forward\"", "\"after\": \"l1.forward#1\"",
     "/swaps/0/after: found 'l1.forward#1', expected the name of an op, with '#2' behind it for its second run"},
    {"UnknownMode", "plan.json", "\"mode\": \"prefetch\"", "\"mode\": \"eager\"",
     "/swaps/0/mode: found 'eager', expected one of prefetch, triggered, blocking, triggered_blocking"},
    {"RecomputationBeforeNothing", "plan.json", "\"recomputes\": []",
     "\"recomputes\": [{\"op\": \"l0.forward\", \"before\": \"loss#2\", \"kept\": []}]",
     "/recomputes: recomputation of 'l0.forward': there is no run 2 of 'loss' to run it before"},
    // 13 buffers, of which l0.out stays twice.
    {"ResidencyThatIsNotThere", "schedule.json", "\"inputs\": [", "\"inputs\": [9999, ",
     "/instructions/2/inputs/0: found 9999, expected an index below 14"},
    {"WaitForALaterInstruction", "schedule.json", "\"waits\": [", "\"waits\": [0",
     "/instructions/0/waits/0: found 0, expected an index below 0"},
    {"StreamThatIsNotThere", "schedule.json", "\"stream\": 2", "\"stream\": 3",
     "/instructions/0/stream: found 3, expected an index below 3"},
    // Behind two lines of metadata for each of three streams.
    {"EventOnNoStream", "timeline.json", "\"cat\": \"swap_in\",\n      \"pid\": 0,\n      \"tid\": 2",
     "\"cat\": \"swap_in\",\n      \"pid\": 0,\n      \"tid\": 7",
     "/traceEvents/6/tid: found 7, expected the index of a stream"},
    {"OriginOfNowhere", "timeline.json", "\"origin\": \"predicted\"", "\"origin\": \"guessed\"",
     "/origin: found 'guessed', expected one of predicted, measured"},
};

INSTANTIATE_TEST_SUITE_P(Each, ParseErrorTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<ParseCase>& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
