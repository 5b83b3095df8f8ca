// Matrix products by cuBLASLt, against a fake of it that reads the descriptors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "device/cuda/cublaslt_algorithm.h"
#include "device/cuda/cublaslt_kernels.h"
#include "device/cuda/cublaslt_product.h"
#include "device/cuda/cuda_handles.h"
#include "tests/device/cuda/fake_cublaslt.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/device/cuda/streamed_launches.h"
#include "tests/device/operand_memory.h"
#include "tests/support/error_of.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::size_t kAlignment = 256;  // the CUDA device's

class CublasLt : public testing::Test {
 protected:
  CublasLt() { reset(); }
  ~CublasLt() override { reset(); }
  static void reset() {
    FakeCuda::reset();
    FakeCublasLt::reset();
  }
};

OperandDescription inputs_of_linear(std::int64_t samples, std::int64_t features) {
  return activation({samples, features});
}
/// 5 samples of 7 features to 3 outputs.
OpDescription forward_op() {
  return describe_op(Linear{}, {inputs_of_linear(5, 7), parameter({3, 7}), parameter({3})}, {activation({5, 3})});
}
OpDescription backward_data_op() {
  return describe_op(LinearBackwardData{}, {activation({5, 3}), parameter({3, 7})}, {inputs_of_linear(5, 7)});
}
OpDescription backward_weights_op() {
  return describe_op(LinearBackwardWeights{}, {inputs_of_linear(5, 7), activation({5, 3})},
                     {parameter({3, 7}), parameter({3})});
}

std::vector<std::string> ids_of(const std::vector<CudaKernel>& kernels) {
  std::vector<std::string> ids;
  for (const CudaKernel& kernel : kernels) ids.push_back(kernel.id);
  return ids;
}

/// Launches on a stream of the fake runtime and waits for it.
void run(OperandMemory& memory, const Launch& launch) {
  const CudaStream stream = make_stream();
  memory.with_addresses([&](std::span<std::byte* const> in, std::span<std::byte* const> out, std::byte* workspace) {
    const std::vector<const void*> inputs(in.begin(), in.end());
    const std::vector<void*> outputs(out.begin(), out.end());
    launch(stream.get(), {inputs, outputs, workspace});
  });
  must(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize", "a test");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " isn't in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class CublasLtLinear : public CublasLt, public testing::WithParamInterface<KernelCase> {};

TEST_P(CublasLtLinear, EveryAlgorithmGivesTheReferencesResultAndTouchesNothingElse) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  const std::vector<TestTensor> expected = GetParam().reference(inputs);
  for (const OpDescription& op : variants_of(GetParam(), {Layout::channels_last, Layout::channels_first})) {
    CublasLtKernels source(streamed_launches());
    const std::vector<CudaKernel> kernels = source.kernels(op);
    const bool adds_bias = op.inputs.size() > 2 && op.outputs.size() == 1;
    ASSERT_THAT(kernels, SizeIs(adds_bias ? 5 : 4));
    for (const CudaKernel& kernel : kernels) {
      SCOPED_TRACE(kernel.id);
      // A workspace of NaN: what a kernel reads there it must have written.
      OperandMemory memory(op, kernel.workspace, inputs, std::byte{0xff}, kAlignment);
      run(memory, kernel.prepare());
      EXPECT_TRUE(memory.only_allowed_bytes_written());
      // Sums in double, rounded once, or once for each part.
      expect_near(memory.outputs(), expected, 1e-6);
    }
  }
}

TEST_P(CublasLtLinear, AKernelOfAnIdGivesTheSameBitsWithoutAskingTheHeuristic) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  const OpDescription& op = GetParam().op;
  CublasLtKernels source(streamed_launches());
  for (const CudaKernel& listed : source.kernels(op)) {
    SCOPED_TRACE(listed.id);
    OperandMemory first(op, listed.workspace, inputs, std::byte{0xff}, kAlignment);
    run(first, listed.prepare());

    CublasLtKernels another(streamed_launches());
    const std::uint64_t asked = FakeCublasLt::calls("cublasLtMatmulAlgoGetHeuristic");
    const std::optional<CudaKernel> again = another.kernel(op, listed.id);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->id, listed.id);
    EXPECT_EQ(again->workspace, listed.workspace);
    OperandMemory second(op, again->workspace, inputs, std::byte{0x3f}, kAlignment);
    run(second, again->prepare());
    EXPECT_EQ(FakeCublasLt::calls("cublasLtMatmulAlgoGetHeuristic"), asked);
    for (std::size_t i = 0; i < op.outputs.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), second.output_bytes(i))) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CublasLtLinear, testing::ValuesIn(linear_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(CublasLt, NamesMachineAlgorithmAndSettingsInItsIds) {
  CublasLtKernels source(streamed_launches());
  EXPECT_THAT(ids_of(source.kernels(forward_op())),
              ElementsAre("cublaslt 13.1.0|sm_80x108|linear algorithm 20 "
                          "tile=20,stages=10,splits=3,reduction=2,swizzle=1,custom=0,inner=0,cluster=0|fp32",
                          "cublaslt 13.1.0|sm_80x108|linear algorithm 20 "
                          "tile=15,stages=8,splits=1,reduction=0,swizzle=0,custom=2,inner=0,cluster=0|fp32",
                          "cublaslt 13.1.0|sm_80x108|linear algorithm 0 "
                          "tile=4,stages=0,splits=1,reduction=0,swizzle=0,custom=0,inner=0,cluster=0|fp32",
                          "cublaslt 13.1.0|sm_80x108|linear algorithm 24 "
                          "tile=20,stages=8,splits=1,reduction=0,swizzle=1,custom=0,inner=0,cluster=0|fp32",
                          "cublaslt 13.1.0|sm_80x108|linear algorithm 25 "
                          "tile=20,stages=8,splits=1,reduction=0,swizzle=0,custom=0,inner=0,cluster=0|fp32"));
  EXPECT_EQ(source.kernels(backward_weights_op()).at(2).id,
            "cublaslt 13.1.0|sm_80x108|linear_backward_weights algorithm 0 "
            "tile=4,stages=0,splits=1,reduction=0,swizzle=0,custom=0,inner=0,cluster=0|fp32 + channel sums|spillway 1");
}

TEST_F(CublasLt, ReadsFromAnIdWhatItWasMadeOf) {
  const CublasLtMachine machine;
  const CublasLtAlgorithm algorithm{
      .product = "linear_backward_data",
      .tf32 = true,
      .number = 66,
      .settings = {1, 2, 3, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, 5, 4294967295, 65535, 8}};
  EXPECT_EQ(algorithm_of(machine, kernel_id(machine, algorithm)), algorithm);
}

TEST_F(CublasLt, TakesTheWorkspaceOfPartsFromTheOperands) {
  CublasLtKernels source(streamed_launches());
  // y is 5 x 3, each element in three parts of 4 bytes; the others sum at once.
  const std::vector<CudaKernel> kernels = source.kernels(forward_op());
  EXPECT_EQ(kernels.at(0).workspace, Bytes{5 * 3 * 3 * 4});
  EXPECT_EQ(kernels.at(1).workspace, Bytes{0});
}

TEST_F(CublasLt, AsksTheHeuristicOnceForEachDescription) {
  CublasLtKernels source(streamed_launches());
  const std::vector<std::string> ids = ids_of(source.kernels(forward_op()));
  EXPECT_EQ(ids_of(source.kernels(forward_op())), ids);
  EXPECT_EQ(FakeCublasLt::calls("cublasLtMatmulAlgoGetHeuristic"), 1U);
  static_cast<void>(source.kernels(backward_data_op()));
  EXPECT_EQ(FakeCublasLt::calls("cublasLtMatmulAlgoGetHeuristic"), 2U);
}

TEST_F(CublasLt, ListsNeitherSumsInPlaceNorTensorCores) {
  // The fake would name some of them before the first that is listed.
  CublasLtKernels source(streamed_launches());
  for (const OpDescription& op : {forward_op(), backward_data_op(), backward_weights_op()}) {
    for (const std::string& id : ids_of(source.kernels(op))) {
      EXPECT_THAT(id, AllOf(HasSubstr("|fp32"), Not(HasSubstr("algorithm 66")), Not(HasSubstr("algorithm 70")),
                            Not(HasSubstr("reduction=1"))));
    }
  }
}

TEST_F(CublasLt, ListsAlignedLoadsOnlyWhereTheOperandsAreAligned) {
  // Loads of 16 bytes: from matrices in the fake's algorithm 24, from the bias in 25.
  CublasLtKernels source(streamed_launches());
  const auto lists = [&source](const OpDescription& op, const std::string& algorithm) {
    const std::vector<std::string> ids = ids_of(source.kernels(op));
    return std::ranges::any_of(ids, [&](const std::string& id) { return id.find(algorithm) != std::string::npos; });
  };
  const OpDescription aligned = forward_op();
  EXPECT_TRUE(lists(aligned, "algorithm 24"));
  EXPECT_TRUE(lists(aligned, "algorithm 25"));
  for (const bool is_output : {false, true}) {
    for (std::size_t i = 0; i < (is_output ? aligned.outputs : aligned.inputs).size(); ++i) {
      SCOPED_TRACE(fmt::format("{} {}", is_output ? "output" : "input", i));
      OpDescription op = aligned;
      (is_output ? op.outputs : op.inputs)[i].alignment = 8_B;
      const bool is_bias = !is_output && i == 2;
      EXPECT_EQ(lists(op, "algorithm 24"), is_bias);
      EXPECT_EQ(lists(op, "algorithm 25"), !is_bias);
    }
  }
}

TEST_F(CublasLt, RoundsToTf32OnlyWhereThatIsAllowed) {
  KernelCase linear = linear_cases().front();
  const std::vector<TestTensor> inputs = rounded_inputs(linear), expected = linear.reference(inputs);
  CublasLtKernels source(streamed_launches(), true);
  const std::vector<CudaKernel> kernels = source.kernels(linear.op);
  ASSERT_THAT(kernels.at(0).id, AllOf(HasSubstr("algorithm 66"), HasSubstr("|tf32")));
  ASSERT_THAT(kernels, SizeIs(11));  // 66, two of 20, 0, 24 and 25, then these five again without it
  EXPECT_THAT(kernels.at(10).id, HasSubstr("|fp32"));
  OperandMemory memory(linear.op, kernels.at(0).workspace, inputs, std::byte{0xff}, kAlignment);
  run(memory, source.kernel(linear.op, kernels.at(0).id)->prepare());
  double largest = 0;
  for (std::size_t i = 0; i < expected[0].values.size(); ++i)
    largest = std::max(largest, std::abs(memory.outputs()[0].values[i] - expected[0].values[i]));
  EXPECT_GT(largest, 1e-5);  // 10 bits of mantissa: about 1e-3 for each term
  EXPECT_LT(largest, 1e-2);
}

TEST_F(CublasLt, HasNoKernelsForWhatIsNoMatrixProduct) {
  CublasLtKernels source(streamed_launches());
  OpDescription relu = forward_op(), integers = relu, space = relu, short_weights = relu, none = relu;
  relu.attributes = LeakyRelu{};
  integers.inputs[0].type = ElementType::int32;
  space.inputs[0].extents = {5, 7, 2, 1};  // whose features lie otherwise than the weights' where channels are last
  short_weights.inputs[1].extents = {3, 6};
  none.inputs[0].extents = {0, 7};
  none.outputs[0].extents = {0, 3};
  for (const OpDescription& op : {relu, integers, space, short_weights, none}) {
    EXPECT_THAT(source.kernels(op), IsEmpty());
    EXPECT_FALSE(source.kernel(op, "cublaslt 13.1.0|sm_80x108|x").has_value());
  }
  EXPECT_FALSE(source.kernel(forward_op(), "direct|spillway 1").has_value());
  FakeCublasLt::fail("cublasLtMatmulAlgoGetHeuristic", 1, CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_THAT(source.kernels(forward_op()), IsEmpty());  // cuBLASLt knows none: no failure
}

TEST_F(CublasLt, ALinearOpWithoutABiasIsAProductAlone) {
  OpDescription op = forward_op();
  op.inputs.pop_back();
  const TestTensor x{op.inputs[0], std::vector<double>(35, 2.0)}, weights{op.inputs[1], std::vector<double>(21, 0.5)};
  CublasLtKernels source(streamed_launches());
  OperandMemory memory(op, Bytes{0}, {x, weights}, std::byte{0xff}, kAlignment);
  run(memory, source.kernels(op).at(2).prepare());
  EXPECT_THAT(memory.outputs()[0].values, testing::Each(7.0));  // 7 terms of 2 * 0.5
}

TEST_F(CublasLt, RefusesATensorThatItsKernelsCannotIndexByName) {
  // 65536 * 32768 = 2^31.
  const OpDescription op =
      describe_op(LinearBackwardData{}, {activation({65536, 8}), parameter({8, 32768})}, {activation({65536, 32768})});
  CublasLtKernels source(streamed_launches());
  EXPECT_EQ(error_of([&] { static_cast<void>(source.kernels(op)); }),
            "2: linear_backward_data: 'dx' [65536, 32768] has 2147483648 elements, cuBLASLt takes fewer than "
            "2147483648; use a smaller batch or a smaller model");
}

TEST_F(CublasLt, TakesTensorsThatBeginInsideTheirBuffers) {
  // x, weights, bias and y one element behind a multiple of 256 bytes: the sum of x's 1, 2, ... is 1 + ... + 7 = 28.
  struct alignas(256) Buffer {
    float values[64] = {};
  };
  Buffer x, weights, bias, y;
  OpDescription op =
      describe_op(Linear{}, {activation({1, 7}), parameter({2, 7}), parameter({2})}, {activation({1, 2})});
  for (OperandDescription& input : op.inputs) input.alignment = 4_B;
  op.outputs[0].alignment = 4_B;
  for (int i = 0; i < 7; ++i) x.values[1 + i] = static_cast<float>(i + 1);
  for (int i = 0; i < 7; ++i) weights.values[1 + i] = 1, weights.values[8 + i] = -2;
  bias.values[1] = 100, bias.values[2] = 200;
  CublasLtKernels source(streamed_launches());
  const std::vector<const void*> inputs{x.values + 1, weights.values + 1, bias.values + 1};
  const std::vector<void*> outputs{y.values + 1};
  const CudaStream stream = make_stream();
  const CudaKernel kernel = source.kernels(op).at(1);
  kernel.prepare()(stream.get(), {inputs, outputs, nullptr});
  must(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize", "a test");
  EXPECT_EQ(y.values[1], 128);
  EXPECT_EQ(y.values[2], 144);
}

/// What is wrong with an id, and what is said about it.
struct BadId {
  std::string name, from, to, said;
};
void PrintTo(const BadId& bad, std::ostream* out) {
  *out << bad.name;
}
class CublasLtIds : public CublasLt, public testing::WithParamInterface<BadId> {};

TEST_P(CublasLtIds, AreRefusedInOneLine) {
  CublasLtKernels source(streamed_launches());
  const std::string good = source.kernels(backward_data_op()).at(1).id;
  const std::string bad = replaced(good, GetParam().from, GetParam().to);
  EXPECT_EQ(error_of([&] { static_cast<void>(source.kernel(backward_data_op(), good)); }), "");
  EXPECT_EQ(error_of([&] { static_cast<void>(source.kernel(backward_data_op(), bad)); }),
            fmt::format("3: kernel '{}': {}", bad, GetParam().said));
}

const std::string kAgain = "; record the trace again with 'spillway profile'";
const std::string kForm =
    "expected one of cuBLASLt's, as 'cublaslt VERSION|sm_CAPABILITYxCOUNT|OP algorithm NUMBER "
    "tile=N,stages=N,splits=N,reduction=N,swizzle=N,custom=N,inner=N,cluster=N|fp32'";
const std::string kNotTaken = "cuBLASLt doesn't take this algorithm for this op: ";
INSTANTIATE_TEST_SUITE_P(
    Bad, CublasLtIds,
    testing::Values(BadId{"Version", "13.1.0", "12.9.1",
                          "made for cublaslt 12.9.1|sm_80x108, found cublaslt 13.1.0|sm_80x108" + kAgain},
                    BadId{"Gpu", "sm_80x108", "sm_90x132",
                          "made for cublaslt 13.1.0|sm_90x132, found cublaslt 13.1.0|sm_80x108" + kAgain},
                    BadId{"Op", "linear_backward_data", "linear", "made for linear, this op is linear_backward_data"},
                    BadId{"SumsInPlace", "splits=1,reduction=0", "splits=3,reduction=1",
                          "this algorithm doesn't give the same bits every time"},
                    BadId{"Number", "algorithm 20", "algorithm 21",
                          kNotTaken + "cublasLtMatmulAlgoInit: CUBLAS_STATUS_INVALID_VALUE" + kAgain},
                    BadId{"Tile", "tile=15", "tile=16",
                          kNotTaken + "cublasLtMatmulAlgoCheck: CUBLAS_STATUS_NOT_SUPPORTED" + kAgain},
                    BadId{"TensorCores", "algorithm 20", "algorithm 66",
                          kNotTaken + "cublasLtMatmulAlgoInit: CUBLAS_STATUS_NOT_SUPPORTED" + kAgain},
                    BadId{"Word", "algorithm", "engine", kForm}, BadId{"Precision", "fp32", "fp16", kForm},
                    BadId{"NumberIsNone", "algorithm 20", "algorithm -1", kForm},
                    BadId{"SettingMissing", ",cluster=0", "", kForm}, BadId{"SettingOther", "tile=", "tiles=", kForm},
                    BadId{"SettingNegative", "tile=15", "tile=-15", kForm},
                    BadId{"SettingTooLarge", "inner=0", "inner=65536", kForm},
                    BadId{"SettingNoNumber", "tile=15", "tile=15x", kForm}, BadId{"Parts", "|fp32", "", kForm}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(CublasLt, AnAlgorithmThatTheLibraryHasLostIsRefused) {
  CublasLtKernels source(streamed_launches());
  const std::string id = source.kernels(forward_op()).at(0).id;
  FakeCublasLt::forget_algorithm(20);
  EXPECT_EQ(
      error_of([&] { static_cast<void>(source.kernel(forward_op(), id)); }),
      fmt::format("3: kernel '{}': {}cublasLtMatmulAlgoInit: CUBLAS_STATUS_INVALID_VALUE{}", id, kNotTaken, kAgain));
  // Those that can't be made again aren't listed in the first place.
  EXPECT_THAT(ids_of(source.kernels(backward_data_op())),
              ElementsAre(HasSubstr("algorithm 0"), HasSubstr("algorithm 24")));
}

TEST_F(CublasLt, AnIdIsForTheSameSumsOfTheBiasesGradient) {
  CublasLtKernels source(streamed_launches());
  const std::string id = source.kernels(backward_weights_op()).at(1).id;
  const std::string library = id.substr(0, id.find(" + "));
  for (const std::string& other : {library, id + "9"}) {
    EXPECT_EQ(error_of([&] { static_cast<void>(source.kernel(backward_weights_op(), other)); }),
              fmt::format("3: kernel '{}': this op has '{}'{}", other, id, kAgain));
  }
}

TEST_F(CublasLt, ALibraryOfAnotherVersionGivesOtherIds) {
  FakeCublasLt::set_version(120605);
  EXPECT_EQ(CublasLtMachine().name(), "cublaslt 12.6.5|sm_80x108");
  FakeCuda::set_device({.multiprocessors = 132, .major = 9});
  EXPECT_EQ(CublasLtMachine().name(), "cublaslt 12.6.5|sm_90x132");
}

TEST_F(CublasLt, LaunchesMakeNothingAndAreCaptured) {
  const KernelCase linear = linear_cases().front();
  const std::vector<TestTensor> inputs = rounded_inputs(linear), expected = linear.reference(inputs);
  CublasLtKernels source(streamed_launches());
  const CudaKernel kernel = source.kernels(linear.op).at(0);
  const Launch launch = kernel.prepare();
  const CudaStream stream = make_stream();
  OperandMemory memory(linear.op, kernel.workspace, inputs, std::byte{0xff}, kAlignment);
  memory.with_addresses([&](std::span<std::byte* const> in, std::span<std::byte* const> out, std::byte* workspace) {
    const std::vector<const void*> from(in.begin(), in.end());
    const std::vector<void*> to(out.begin(), out.end());
    const std::uint64_t lt = FakeCublasLt::calls(), cuda = FakeCuda::calls();
    must(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture", "a test");
    launch(stream.get(), {from, to, workspace});
    cudaGraph_t captured = nullptr;
    must(cudaStreamEndCapture(stream.get(), &captured), "cudaStreamEndCapture", "a test");
    EXPECT_EQ(FakeCublasLt::calls() - lt, 2U);  // where the bias is, and the product
    EXPECT_EQ(FakeCuda::calls() - cuda, 3U);    // the product's launch beside begin and end
    const CudaGraph graph(captured);
    cudaGraphExec_t executable = nullptr;
    must(cudaGraphInstantiate(&executable, graph.get(), 0), "cudaGraphInstantiate", "a test");
    const CudaGraphExec owned(executable);
    must(cudaGraphLaunch(owned.get(), stream.get()), "cudaGraphLaunch", "a test");
    must(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize", "a test");
  });
  expect_near(memory.outputs(), expected, 1e-6);
}

TEST_F(CublasLt, WithoutADriverThereIsOneLine) {
  FakeCuda::no_driver(true);
  EXPECT_EQ(error_of([] { CublasLtKernels source(streamed_launches()); }),
            "3: cuBLASLt: cublasLtCreate for the current GPU: CUBLAS_STATUS_NOT_INITIALIZED: what the fake refuses");
}

/// Lists, pins and launches every op.
void run_all() {
  CublasLtKernels source(streamed_launches());
  for (const KernelCase& linear : linear_cases()) {
    if (linear.name.find("Odd") == std::string::npos) continue;
    const CudaKernel listed = source.kernels(linear.op).at(0);
    const CudaKernel pinned = source.kernel(linear.op, listed.id).value();
    OperandMemory memory(linear.op, pinned.workspace, rounded_inputs(linear), std::byte{0}, kAlignment);
    run(memory, pinned.prepare());
  }
}

TEST_F(CublasLt, AnyCallThatFailsGivesOneLineAndLeavesNothingBehind) {
  run_all();
  EXPECT_THAT(FakeCublasLt::leaks(), IsEmpty());
  const std::uint64_t calls = FakeCublasLt::calls();
  ASSERT_GT(calls, 100U);
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    reset();
    FakeCublasLt::fail("", nth, CUBLAS_STATUS_INTERNAL_ERROR);
    const std::string line = error_of(&run_all);
    const std::string call = FakeCublasLt::failed_call();
    SCOPED_TRACE(fmt::format("call {}, {}", nth, call));
    EXPECT_THAT(FakeCublasLt::leaks(), IsEmpty());
    EXPECT_THAT(FakeCuda::leaks(), IsEmpty());
    if (line.empty()) {  // only what gives back may fail unheard
      EXPECT_THAT(call, HasSubstr("Destroy"));
      continue;
    }
    EXPECT_THAT(line, StartsWith("3: cuBLASLt: " + call + " for "));
    EXPECT_THAT(line, AnyOf(HasSubstr("linear"), HasSubstr("for the current GPU")));
    EXPECT_THAT(line, HasSubstr("CUBLAS_STATUS_INTERNAL_ERROR"));
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

TEST_F(CublasLt, ACudaCallThatFailsGivesOneLine) {
  for (const std::string call : {"cudaGetDevice", "cudaDeviceGetAttribute"}) {
    reset();
    FakeCuda::fail(call, 1, cudaErrorUnknown);
    EXPECT_THAT(error_of([] { CublasLtKernels source(streamed_launches()); }),
                StartsWith("3: CUDA: " + call + " for "));
    EXPECT_THAT(FakeCublasLt::leaks(), IsEmpty());
  }
}

}  // namespace
}  // namespace spillway
