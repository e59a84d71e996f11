#include "cloud_local/local_cloud.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "cloud_local/worker.hpp"

namespace headroom::cloud_local {

using base::Milliseconds;
using base::Result;

LocalCloud::LocalCloud(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
LocalCloud::~LocalCloud() = default;

Result<std::unique_ptr<LocalCloud>> LocalCloud::open(isolation::Machine& machine,
                                                     const std::filesystem::path& folder,
                                                     const std::filesystem::path& sockets,
                                                     Specification specification, Clock clock) {
  for (const std::filesystem::path& needed : {folder, sockets}) {
    std::error_code error;
    std::filesystem::create_directories(needed, error);
    if (error)
      return base::unavailable(fmt::format("{}: cannot be made: {}", needed.string(), error.message()),
                               "free space, or give its parent folder to this user");
  }
  Result<Records> records = Records::open(folder / "cloud.db");
  if (!records) return records.error();
  auto worker = std::make_unique<Worker>(machine, folder, sockets, std::move(specification), std::move(clock),
                                         std::move(*records));
  if (auto begun = worker->begin(); !begun) return begun.error();
  return std::unique_ptr<LocalCloud>(new LocalCloud(std::move(worker)));
}

Result<void> LocalCloud::undo_open(isolation::Machine& machine, const std::filesystem::path& folder,
                                   const std::filesystem::path& sockets, Specification specification,
                                   Clock clock) {
  Result<Records> records = Records::open(folder / "cloud.db");
  if (!records) return records.error();
  Worker worker(machine, folder, sockets, std::move(specification), std::move(clock), std::move(*records));
  return worker.remove(true);
}

cloud::Observed LocalCloud::observe() { return worker_->observe(); }
cloud::Ticket LocalCloud::submit(const cloud::Action& action) { return worker_->submit(action); }
Result<void> LocalCloud::define(const Version& version) { return worker_->define(version); }
std::vector<Version> LocalCloud::versions() const { return worker_->versions(); }
Result<void> LocalCloud::keep_versions(const std::string& service, const std::set<std::string>& names) {
  return worker_->keep_versions(service, names);
}
Result<void> LocalCloud::change(Specification specification) {
  return worker_->change(std::move(specification));
}
std::vector<Details> LocalCloud::details() const { return worker_->details(); }
std::vector<std::string> LocalCloud::cut_zones() const { return worker_->cut_zones(); }
std::vector<std::string> LocalCloud::hindrances() const { return worker_->hindrances(); }

Result<void> LocalCloud::cut_zone(const std::string& zone, Milliseconds until) {
  return worker_->drill({zone, {}, until});
}
Result<void> LocalCloud::trouble(const std::string& instance, Trouble trouble, Milliseconds until) {
  return worker_->drill({instance, trouble, until});
}
Result<void> LocalCloud::remove(bool volumes) { return worker_->remove(volumes); }

}  // namespace headroom::cloud_local
