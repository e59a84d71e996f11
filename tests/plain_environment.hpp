// The plainest environment, for tests that change one thing of it.
#pragma once

#include "environment/environment.hpp"

namespace headroom::environment {

// A service "web": one instance uses 1 % per request a second, starts in 2 minutes and costs $0.6 an hour;
// above 50 % there is one more, below 20 % one less.
inline Environment plain_environment() {
  Environment environment;
  environment.name = "plain";
  Service web;
  web.name = "web";
  web.instance.price = base::UsdPerHour(0.6);
  web.capacity.slope_percent_per_rps = 1;
  web.capacity.startup = base::Milliseconds(120'000);
  policy::StepPolicy step;
  step.out = {{50, false, 1}};
  step.in = {{20, false, 1}};
  web.scale.scaling.policies = {step};
  web.scale.scaling.initial = 1;
  environment.services = {web};
  return environment;
}

// The same under a wave from 100 to 1,000 requests a second whose noise and arrivals are drawn: 2 to 40
// instances at $0.1, one more above 60 %, one less below 30 %, the utilisation up to 80 % in 99 % of minutes.
inline Environment wave_environment(base::Milliseconds duration) {
  Environment environment = plain_environment();
  environment.name = "wave";
  Service& web = environment.services.front();
  web.instance.price = base::UsdPerHour(0.1);
  web.capacity.startup = base::Milliseconds(180'000);
  policy::StepPolicy step;
  step.out = {{60, false, 1}};
  step.in = {{30, false, 1}};
  web.scale.scaling.policies = {step};
  web.scale.scaling.initial = 4;
  web.scale.scaling.limits.min = 2;
  web.scale.scaling.limits.max = 40;
  web.objective.cpu = base::Percent(80);
  web.objective.share = 0.99;
  workload::Generated shape;
  shape.duration = duration;
  shape.base = base::Rate(100);
  shape.peak = base::Rate(1000);
  shape.noise = 0.02;
  environment.traffic.emplace();
  environment.traffic->shape = shape;
  environment.traffic->arrivals = workload::Arrivals::poisson;
  return environment;
}

}  // namespace headroom::environment
