#include "environment/read.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.hpp"
#include "environment/records.hpp"

namespace headroom::environment {
namespace {

// Stands for the files of variants that are not chosen: these may not exist on this machine.
base::Result<std::string> not_read(const std::string& path) {
  return path.ends_with(".csv") ? "" : base::Result<std::string>("{}");
}

// The file without `environments:`, and the variants.
struct Parts {
  Node base;
  std::vector<std::pair<std::string, Node>> variants;
};

Parts apart(Reader& reader, Node root) {
  Parts parts;
  const auto member = std::find_if(root.members.begin(), root.members.end(),
                                   [](const Member& candidate) { return candidate.key == "environments"; });
  if (member != root.members.end()) {
    if (member->value.kind != Node::Kind::map) {
      reader.expected(member->value, "a map from a name to what differs",
                      "such as environments: {prod: {cloud: aws}}");
    }
    for (const Member& variant : member->value.members) {
      if (variant.value.kind != Node::Kind::map) {
        reader.expected(variant.value, "a map of what differs in " + variant.key,
                        "such as prod: {cloud: aws}");
      } else if (const auto inner = std::find_if(variant.value.members.begin(), variant.value.members.end(),
                                                 [](const Member& m) { return m.key == "environments"; });
                 inner != variant.value.members.end()) {
        reader.fault(inner->position, "a variant has no variants of its own", "move it one level up");
      } else {
        parts.variants.emplace_back(variant.key, variant.value);
      }
    }
    root.members.erase(member);
  }
  parts.base = std::move(root);
  return parts;
}

// The file with a variant laid over it. A variant that moves min or max past the file's `initial` does not
// contradict itself: the fleet then starts with min, as where `initial` is not written.
Node with_variant(Node base, const Node& variant) {
  Node root = merged(std::move(base), variant);
  const Node* overrides = variant.find("services");
  if (overrides == nullptr) return root;
  for (const Member& service : overrides->members) {
    const Node* changed = service.value.find("scale");
    if (changed == nullptr || changed->find("initial") != nullptr) continue;
    const auto scale = std::find_if(root.members.begin(), root.members.end(),
                                    [](const Member& m) { return m.key == "services"; });
    auto& services = scale->value.members;
    const auto own =
        std::find_if(services.begin(), services.end(), [&](const Member& m) { return m.key == service.key; });
    if (own == services.end()) continue;
    for (Member& part : own->value.members) {
      if (part.key != "scale") continue;
      const auto number = [&](std::string_view key, std::int64_t fallback) {
        const Node* node = part.value.find(key);
        return node == nullptr ? fallback : base::parse_integer(node->text).value_or(fallback);
      };
      const policy::Limits defaults;
      const std::int64_t initial = number("initial", 0);
      if (initial < number("min", defaults.min) || initial > number("max", defaults.max)) {
        std::erase_if(part.value.members, [](const Member& m) { return m.key == "initial"; });
      }
    }
  }
  return root;
}

// A service that is not in the file and says neither what it can take nor what it runs is no service of its
// own; with a name near to one of the file's it is that one, mistyped.
void refuse_mistyped_services(Reader& reader, const Parts& parts) {
  const Node* services = parts.base.find("services");
  if (services == nullptr || services->kind != Node::Kind::map) return;
  std::vector<std::string> names;
  for (const Member& service : services->members) names.push_back(service.key);
  for (const auto& [variant, node] : parts.variants) {
    const Node* own = node.find("services");
    if (own == nullptr || own->kind != Node::Kind::map) continue;
    for (const Member& service : own->members) {
      const Node& keys = service.value;
      if (services->find(service.key) != nullptr || keys.find("capacity") != nullptr ||
          keys.find("run") != nullptr)
        continue;
      if (const auto near = nearest(service.key, names)) {
        reader.fault(service.position, fmt::format("there is no service {}", base::in_quotes(service.key)),
                     fmt::format("did you mean \"{}\"?", *near));
      }
    }
  }
}

// Faults that the faults of what is chosen do not hold yet.
void add_new(base::Error& error, const base::Error& other) {
  for (const base::Fault& fault : other.faults) {
    if (std::find(error.faults.begin(), error.faults.end(), fault) == error.faults.end())
      error.faults.push_back(fault);
  }
}

}  // namespace

base::Place Loaded::place_of(std::string_view path) const {
  while (!path.empty()) {
    const auto found = places.find(std::string(path));
    if (found != places.end()) return found->second;
    const std::size_t end = path.find_last_of(".[");
    path = path.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return {file, 1, 1};
}

base::Error located(const Loaded& loaded, base::Error error) {
  for (base::Fault& fault : error.faults) {
    if (!fault.path.empty() && fault.place == base::Place{}) fault.place = loaded.place_of(fault.path);
  }
  return error;
}

base::Result<Loaded> read(const std::string& text, const std::string& file, const ReadFile& read_file,
                          const std::string& variant) {
  auto root = parse_document(text, file);
  if (!root) return root.error();
  if (root->kind == Node::Kind::empty) {
    return base::bad_input({file, 1, 1}, "the file is empty; expected an environment",
                           "start one with headroom init");
  }
  Reader reader(file, read_file);
  if (root->kind != Node::Kind::map) {
    check_keys(reader, *root, environment_record().info);
    return reader.error();
  }
  const Parts parts = apart(reader, std::move(*root));
  const auto chosen = std::find_if(parts.variants.begin(), parts.variants.end(),
                                   [&](const auto& pair) { return pair.first == variant; });
  if (!variant.empty() && chosen == parts.variants.end()) {
    std::vector<std::string> names;
    for (const auto& [name, node] : parts.variants) names.push_back(name);
    reader.fault(Position{0, 0, 0}, fmt::format("there is no environment {}", base::in_quotes(variant)),
                 names.empty() ? "the file has no key `environments`"
                               : "the environments are " + joined(names, "and"));
  }
  refuse_mistyped_services(reader, parts);
  auto raw = read_record(
      reader, chosen == parts.variants.end() ? parts.base : with_variant(parts.base, chosen->second),
      environment_record());

  base::Error error = reader.error();
  const ReadFile none = not_read;
  for (const auto& [name, node] : parts.variants) {
    if (name == variant) continue;
    // Only with a sound base do the faults of a variant stand for themselves.
    if (!error.faults.empty()) break;
    Reader other(file, none);
    read_record(other, with_variant(parts.base, node), environment_record());
    for (const base::Fault& fault : other.error().faults) {
      // What the stand-ins of unread files lead to is not the user's fault.
      if (fault.place.file == file) add_new(error, {base::ErrorKind::bad_input, {fault}});
    }
  }
  if (!raw || !error.faults.empty()) return error;
  Loaded loaded{std::move(raw->environment), std::move(reader.places), file, {}};
  for (const auto& [name, node] : parts.variants) loaded.variants.push_back(name);
  return loaded;
}

base::Result<workload::Traffic> read_traffic(const std::string& text, const std::string& file,
                                             const ReadFile& read_file) {
  Reader reader(file, read_file);
  auto traffic = traffic_of(reader, file, text);
  if (!traffic || reader.fault_count() > 0) return reader.error();
  return std::move(*traffic);
}

}  // namespace headroom::environment
