// cell_of: an instance of a version as the confined process that it becomes, with the addresses of others.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "cloud_local/records.hpp"
#include "cloud_local/specification.hpp"
#include "isolation/cell.hpp"
#include "isolation/machine.hpp"

namespace headroom::cloud_local {

inline constexpr int kPort = 8080;  // on which every instance listens, at its own address

// Of a whole machine: no other environment has the zone's index, and none of this one the number.
std::string cell_name(const InstanceRecord& instance, int zone_index);

// The folder of an instance: `log`, and `files`, which is its own.
std::filesystem::path instance_folder(const std::filesystem::path& environment,
                                      const InstanceRecord& instance);

// Makes its folders. Errors: a secret that cannot be read, named without its content.
base::Result<isolation::Cell> cell_of(const InstanceRecord& instance, const Version& version,
                                      const Specification& specification, const isolation::Machine& machine,
                                      const std::filesystem::path& environment);

}  // namespace headroom::cloud_local
