// Queries: what stands behind the `?` of a request without a body.
#pragma once

#include <map>
#include <string>

#include "api/messages.hpp"
#include "base/result.hpp"

namespace headroom::api {

using Parameters = std::multimap<std::string, std::string>;

// Errors: names that are unknown, missing or twice, values that are out of their range.
base::Result<LogsRequest> logs_request(const Parameters& parameters);
base::Result<history::Query> events_query(const Parameters& parameters);
base::Result<SamplesRequest> samples_request(const Parameters& parameters);

}  // namespace headroom::api
