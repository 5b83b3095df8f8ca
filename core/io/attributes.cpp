#include <fmt/format.h>

#include "core/error.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

// Each struct's fields, once, for both directions: `visit` either writes the member or reads it.
template <class A, class Visit>
void visit_fields(A& a, Visit&& visit) {
  if constexpr (requires { a.window; }) {
    visit("kernel", a.window.kernel);
    visit("stride", a.window.stride);
    visit("padding", a.window.padding);
  }
  if constexpr (requires { a.epsilon; }) visit("epsilon", a.epsilon);
  if constexpr (requires { a.momentum; }) visit("momentum", a.momentum);
  if constexpr (requires { a.values_per_sample; }) visit("values_per_sample", a.values_per_sample);
  if constexpr (requires { a.slope; }) visit("slope", a.slope);
  if constexpr (requires { a.factor; }) visit("factor", a.factor);
  if constexpr (requires { a.rate; }) visit("rate", a.rate);
  if constexpr (requires { a.salt; }) visit("salt", a.salt);
  if constexpr (requires { a.scale; }) visit("scale", a.scale);
  if constexpr (requires { a.smoothing; }) visit("smoothing", a.smoothing);
  if constexpr (requires { a.beta1; }) {
    visit("beta1", a.beta1);
    visit("beta2", a.beta2);
  }
  if constexpr (requires { a.what; }) visit("what", a.what);
}

struct Reader {
  const JsonNode& node;
  std::vector<std::string> known{"kind"};

  void operator()(const char* key, Extents& value) { value = member(key).integers(0); }
  void operator()(const char* key, std::int64_t& value) { value = member(key).integer(0); }
  void operator()(const char* key, double& value) { value = member(key).number(); }
  void operator()(const char* key, std::string& value) { value = member(key).string(); }
  JsonNode member(const char* key) {
    known.emplace_back(key);
    return node.at(key);
  }
};

/// Fills `attributes` if its kind is `kind`.
template <std::size_t I = 0>
bool read_kind(const JsonNode& node, const std::string& kind, Attributes& attributes, std::vector<std::string>& kinds) {
  if constexpr (I < std::variant_size_v<Attributes>) {
    using A = std::variant_alternative_t<I, Attributes>;
    kinds.emplace_back(A::kKind);
    if (kind != A::kKind) return read_kind<I + 1>(node, kind, attributes, kinds);
    A read;
    Reader reader{node};
    visit_fields(read, reader);
    for (const auto& [key, value] : node.members()) {
      if (std::ranges::find(reader.known, key) == reader.known.end()) {
        node.fail_with(fmt::format("found the key '{}', which '{}' doesn't have", key, kind));
      }
    }
    attributes = std::move(read);
    return true;
  } else {
    return false;
  }
}

}  // namespace

OrderedJson attributes_to_json(const Attributes& attributes) {
  OrderedJson json{{"kind", kind_of(attributes)}};
  std::visit([&](const auto& a) { visit_fields(a, [&](const char* key, const auto& value) { json[key] = value; }); },
             attributes);
  return json;
}

Attributes attributes_from_json(const JsonNode& node) {
  Attributes attributes;
  std::vector<std::string> kinds;
  const std::string kind = node.at("kind").string();
  if (!read_kind(node, kind, attributes, kinds)) {
    const std::string near = nearest_name(kind, kinds);
    node.at("kind").fail("a kind of op", near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
  return attributes;
}

}  // namespace spillway
