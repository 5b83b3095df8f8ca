#include "comm/alone.h"

#include <fmt/format.h>

namespace spillway {
namespace {

class Alone final : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int size() const override { return 1; }

  void all_reduce_sum(std::span<const std::span<float>> pieces, float scale) override {
    for (const std::span<float> piece : pieces) {
      for (float& value : piece) value *= scale;
    }
  }
  void broadcast(std::span<std::byte>, int root) override {
    SPILLWAY_CHECK(root == 0, fmt::format("a broadcast from rank {} of 1", root));
  }
  [[nodiscard]] std::vector<std::string> all_gather(const std::string& text) override { return {text}; }
  void barrier() override {}
  [[nodiscard]] std::unique_ptr<Communicator> duplicate() override { return alone(); }
  void abort(ExitCode) override {}
  [[nodiscard]] Bytes staging_bytes() const override { return {}; }
};

}  // namespace

std::unique_ptr<Communicator> alone() {
  return std::make_unique<Alone>();
}

}  // namespace spillway
