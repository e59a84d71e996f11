// LoadPage: a load test as one self-contained HTML page that asks nothing of any network.
#pragma once

#include <string>

#include "report/load_run.hpp"

namespace headroom::report {

std::string load_report_html(const LoadRun& run);

}  // namespace headroom::report
