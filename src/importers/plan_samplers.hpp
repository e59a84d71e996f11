// PlanSamplers: the HTTP requests of a test plan, each once; internal to this module.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "importers/plan_document.hpp"
#include "importers/plan_report.hpp"
#include "importers/plan_scope.hpp"
#include "importers/plan_timers.hpp"
#include "importers/plan_values.hpp"
#include "workload/request.hpp"

namespace headroom::importers {

// A request that stands in the sequence of a thread group `times` in a row.
struct Turn {
  std::size_t request = 0;  // in PlanSamplers::requests()
  double times = 1;
  Pause pause;
};

class PlanSamplers {
 public:
  PlanSamplers(PlanValues& values, PlanReport& report) : values_(values), report_(report) {}

  // Of one sampler, sent once.
  Turn turn_of(const Element& sampler, const Scope& outer);

  const std::vector<workload::Request>& requests() const { return requests_; }
  // That the samplers name, which a traffic file does not.
  void note_addresses() const;

 private:
  std::string setting(const Element& sampler, const Scope& scope, std::string_view property) const {
    return importers::setting(sampler, scope, property, values_);
  }
  void set_path(workload::Request& request, const Element& sampler, const Scope& scope);
  void set_headers(workload::Request& request, const Element& sampler, const Scope& scope);
  void set_arguments(workload::Request& request, const Element& sampler, const Scope& scope);
  void note_settings(const Element& sampler, const Scope& scope);
  std::size_t number_of(workload::Request request, const Element& sampler);
  void check_names(const workload::Request& request, const Element& sampler);

  PlanValues& values_;
  PlanReport& report_;
  std::vector<workload::Request> requests_;
  std::size_t requests_bytes_ = 0;
  std::map<std::string, std::size_t> numbers_;
  std::map<std::string, const Element*> addresses_;
};

}  // namespace headroom::importers
