#include "core/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace spillway {
namespace {

static_assert(!std::is_convertible_v<OpId, TensorId>);
static_assert(!std::is_constructible_v<OpId, TensorId>);
static_assert(!std::is_convertible_v<std::size_t, OpId>);  // only when said
static_assert(!std::is_convertible_v<OpId, std::size_t>);
template <class Vector, class I>
concept IndexedBy = requires(Vector vector, I id) {
  vector[id];
};
static_assert(IndexedBy<IdVector<TensorId, int>, TensorId>);
static_assert(!IndexedBy<IdVector<TensorId, int>, OpId>);
static_assert(!IndexedBy<IdVector<TensorId, int>, std::size_t>);
static_assert(!OpId{}.valid() && OpId(0).valid());

TEST(Ids, PushBackTellsTheNewId) {
  IdVector<OpId, std::string> names;
  EXPECT_EQ(names.push_back("a"), OpId(0));
  EXPECT_EQ(names.push_back("b"), OpId(1));
  EXPECT_EQ(names[OpId(1)], "b");
}

TEST(Ids, AreListedInOrder) {
  const IdVector<OpId, int> numbers(3, 7);
  std::vector<OpId> ids;
  for (const OpId id : numbers.ids()) ids.push_back(id);
  EXPECT_THAT(ids, testing::ElementsAre(OpId(0), OpId(1), OpId(2)));
}

TEST(Ids, AnInvalidIdIsBehindAllOthers) {
  EXPECT_GT(Position{}, Position(4'000'000'000));
  EXPECT_EQ(Position{}, Position{});
}

}  // namespace
}  // namespace spillway
