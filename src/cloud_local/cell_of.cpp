#include "cloud_local/cell_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <system_error>

#include "store/file.hpp"

namespace headroom::cloud_local {
namespace {

using base::Result;

constexpr std::uint64_t kLargestSecret = 64 << 10;

Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return base::unavailable(fmt::format("{}: cannot be made: {}", folder.string(), error.message()),
                           "free space, or give the folder back to its user");
}

const Zone* find_zone(const Specification& specification, const std::string& name) {
  const auto found = std::find_if(specification.zones.begin(), specification.zones.end(),
                                  [&](const Zone& zone) { return zone.name == name; });
  return found == specification.zones.end() ? nullptr : &*found;
}

}  // namespace

std::string variable_name(const std::string& service, const std::string& what) {
  std::string name = service + "_" + what;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return std::isalnum(c) != 0 ? static_cast<char>(std::toupper(c)) : '_';
  });
  return name;
}

std::string cell_name(const InstanceRecord& instance, int zone_index) {
  return fmt::format("{}-z{}", instance.id(), zone_index);
}

std::filesystem::path instance_folder(const std::filesystem::path& environment,
                                      const InstanceRecord& instance) {
  return environment / "instances" / instance.id();
}

Result<isolation::Cell> cell_of(const InstanceRecord& instance, const Version& version,
                                const Specification& specification, const isolation::Machine& machine,
                                const std::filesystem::path& environment) {
  const Zone* zone = find_zone(specification, instance.zone);
  if (zone == nullptr) return base::unavailable(fmt::format("there is no zone {}", instance.zone));
  const std::filesystem::path folder = instance_folder(environment, instance);

  isolation::Cell cell;
  cell.name = cell_name(instance, zone->index);
  cell.position = {zone->index, instance.slot};
  cell.cores = version.cores;
  cell.memory_bytes = version.memory_bytes;
  cell.processes_max = version.processes_max;
  cell.run = version.run;
  cell.image = version.image;
  cell.private_folder = folder / "files";
  cell.log = folder / "log";
  if (auto made = make_folder(cell.private_folder); !made) return made.error();

  const auto set = [&](std::string name, std::string value) {
    cell.environment.emplace_back(std::move(name), std::move(value));
  };
  const std::string address = machine.address(cell.position);
  set("HOST", address);
  set("PORT", std::to_string(kPort));
  set("HEADROOM_INSTANCE", instance.id());
  set("HEADROOM_ZONE", instance.zone);
  set("HEADROOM_VERSION", instance.version);
  const std::string gateway = machine.gateway(zone->index);
  for (const Service& service : specification.services) {
    if (service.name != instance.service) continue;
    for (const std::string& name : service.depends_on) {
      for (const Service& other : specification.services) {
        if (other.name != name) continue;
        set(variable_name(name, "HOST"), gateway);
        set(variable_name(name, "PORT"), std::to_string(other.internal_port));
        set(variable_name(name, "URL"), fmt::format("http://{}:{}", gateway, other.internal_port));
        cell.hosts.emplace_back(gateway, name);
      }
    }
  }
  if (instance.volume) {
    cell.volume = environment / "volumes" / instance.service / std::to_string(*instance.volume);
    if (auto made = make_folder(*cell.volume); !made) return made.error();
    set("VOLUME", cell.volume->string());
  }
  for (const auto& [name, value] : version.environment) set(name, value);
  for (const auto& [name, file] : version.secrets) {
    Result<std::string> secret = store::read_file(file, kLargestSecret);
    if (!secret) return secret.error();
    while (!secret->empty() && (secret->back() == '\n' || secret->back() == '\r')) secret->pop_back();
    set(name, std::move(*secret));
  }
  return cell;
}

}  // namespace headroom::cloud_local
