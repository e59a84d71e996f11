// LiveView: a load test on the terminal while it runs.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

#include "load/job.hpp"
#include "load/run.hpp"

namespace headroom::cli {

// On a terminal a block that is redrawn and goes away at the end; elsewhere a line every five seconds.
class LiveView {
 public:
  // `name`: of the traffic. Both outlive the view.
  LiveView(std::ostream& stream, const load::Job& job, std::string name, std::string url);
  ~LiveView();
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  void show(const load::Progressed& progressed);

 private:
  void erase();

  std::ostream& stream_;
  const load::Job& job_;
  std::string name_;
  std::string url_;
  std::optional<base::Nanoseconds> length_;
  bool terminal_;
  bool colours_;
  int lines_ = 0;  // that are drawn
  bool stopping_ = false;
  base::Nanoseconds next_{0};  // line or drawing
  bool waiting_said_ = false;
};

}  // namespace headroom::cli
