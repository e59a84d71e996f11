// Rollout: how the replacement of one version by another goes, judged from what is seen.
#pragma once

#include <string>

#include "base/quantity.hpp"
#include "cloud/cloud.hpp"

namespace headroom::daemon {

struct Rollout {
  std::string service;
  std::string version;  // that is to run
  int desired = 1;
  base::Milliseconds began{0};
  // So long without an instance more of the version in service, and it is taken for one that does not start.
  base::Milliseconds patience{60'000};
  base::Milliseconds progress_at{0};  // when the number in service last grew
  int most = 0;                       // of the version in service, so far
};

enum class Verdict {
  goes_on,
  done,    // as many as desired run it, and nothing else serves
  failed,  // its instances do not come into service, or do not stay
};

struct Judgement {
  Verdict verdict = Verdict::goes_on;
  std::string why;  // of `failed`; else how far it is: "2 of 3 instances run v2"
};

// Brings `rollout` up to what is seen. Two failed instances of the version are its failure: one can have
// other reasons. `proven`: the controller has nothing left to replace.
Judgement judge(Rollout& rollout, const cloud::Observed& observed, bool proven);

}  // namespace headroom::daemon
