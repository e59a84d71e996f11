// Page: a rehearsal or an outcome as one self-contained HTML page that asks nothing of any network.
#pragma once

#include <string>

#include "environment/environment.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

// `service` as it was rehearsed: its policies, limits and objective stand in the page.
std::string report_html(const sim::Rehearsal& rehearsal, const environment::Service& service);

// `service` with its present settings; the policies of the others come from their contenders.
std::string report_html(const tune::Outcome& outcome, const environment::Service& service);

}  // namespace headroom::report
