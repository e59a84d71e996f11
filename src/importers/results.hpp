// Results of load tests as traffic: what was sent then can be sent again.
//
// The courses over time (Locust's history, k6's CSV) become stages of constant rate, as many requests in each
// stage as were sent then; a long course is taken in longer stages. A summary of k6 holds no course: it
// becomes its mean rate for its duration. Latencies and percentiles are answers, not traffic.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "importers/imported.hpp"

namespace headroom::importers {

inline constexpr std::size_t kStagesMost = 300;
inline constexpr std::size_t kSummaryBytes = std::size_t{16} << 20;

// Shape of all: `file` names the text in faults.
base::Result<Imported> import_locust_history(std::string_view text, const std::string& file);
base::Result<Imported> import_k6_csv(std::string_view text, const std::string& file);
base::Result<Imported> import_k6_summary(std::string_view text, const std::string& file);
// A `timestamp,value` CSV: recorded traffic that names the file.
base::Result<Imported> import_csv(std::string_view text, const std::string& file);

// Which of them a CSV is, by its heading.
enum class CsvKind { recorded, locust_history, k6 };
CsvKind csv_kind(std::string_view text, const std::string& file);

}  // namespace headroom::importers
