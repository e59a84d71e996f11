// Prometheus: the utilisation of an instance as a Prometheus server knows it.
//
// The query is PromQL with one number as its result: percent, or a share of 1 where the query's name says
// ratio or it is divided so that it never passes 1 (`unit=ratio`). It is asked at the end of each window; a
// query such as rate(process_cpu_seconds_total{job="web"}[10s]) looks back as far as the window itself.
// Source: the HTTP API of Prometheus, /api/v1/query.
#pragma once

#include <memory>
#include <string>

#include "sources/utilisation.hpp"

namespace headroom::sources {

class Prometheus : public Utilisation {
 public:
  // `address`: http://HOST:PORT?query=EXPRESSION[&unit=ratio], the expression with or without %-escapes.
  // Asks once. Errors: no query; no server; no single number.
  static base::Result<std::unique_ptr<Utilisation>> open(const std::string& address);

  base::Result<base::Percent> since_last() override;

 private:
  Prometheus(std::string server, std::string query, double factor)
      : server_(std::move(server)), query_(std::move(query)), factor_(factor) {}

  std::string server_;
  std::string query_;
  double factor_;
};

// The one number of an answer to an instant query. Errors: several, none, no JSON of Prometheus.
base::Result<double> number_of_answer(const std::string& json);

}  // namespace headroom::sources
