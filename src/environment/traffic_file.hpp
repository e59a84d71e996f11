// Traffic files as a program writes them; read.hpp reads them.
#pragma once

#include <string>
#include <vector>

#include "workload/traffic.hpp"

namespace headroom::environment {

// YAML that reads back to the same traffic, where the files that it names lie beside it. `notes` stand before
// it as comments, one paragraph each. Requires: texts in UTF-8, and values that a traffic file may hold.
std::string write_traffic(const workload::Traffic& traffic, const std::vector<std::string>& notes = {});

}  // namespace headroom::environment
