// LocalCloud: an environment on this machine, as a cloud: instances are confined processes, zones are
// networks, one HAProxy stands in front of each service.
//
//   LocalCloud cloud = LocalCloud::open(machine, folder, specification, clock).value();
//   cloud->define(version);                          // what `submit(Launch{"web", "v1", "a"})` starts
//   cloud->observe(), cloud->submit(action)          // as cloud/cloud.hpp says
//   cloud->remove();                                 // nothing is left
//
// What it is told is written down before it is done (records.hpp), and a thread brings what runs to what is
// written, instance by instance, again and again. So a process that is killed at any moment leaves nothing
// that the next one does not find and finish: it opens the same folder, finds the instances and balancers
// that have gone on meanwhile, and goes on.
//
//   launching    written down; boots for Version::boot; its process starts
//   warming      its process runs, and the balancer checks it
//   in service   it has passed its checks
//   draining     the balancer sends it nothing new; then its process is ended
//   stopped      nothing of it runs; its folder is kept
//   failed       the same, and it will not be started again; the newest three of a service are kept
//
// Threads     All functions may be called from any thread. Those of `Cloud` wait for nothing but memory and
// one
//             write to disk; drills and remove() wait for their effect.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/cloud.hpp"
#include "cloud_local/specification.hpp"
#include "isolation/machine.hpp"

namespace headroom::cloud_local {

using Clock = std::function<base::Milliseconds()>;  // since 1970

// For people, beside what the controller sees.
struct Details {
  std::string id;
  std::string why;  // of a failed one: "it exited with 3 before it served"
  std::int64_t memory_bytes = 0;
  int processes = 0;
  std::filesystem::path log;
  std::optional<Trouble> trouble;
};

class LocalCloud final : public cloud::Cloud {
 public:
  // Finds what an earlier one of this folder has left running, and goes on with it. `folder` is created where
  // it is missing; sockets of balancers live in `sockets`, whose path is short. Errors: a folder that is in
  // use, a damaged record, a port that is taken, a zone that cannot be made.
  static base::Result<std::unique_ptr<LocalCloud>> open(isolation::Machine& machine,
                                                        const std::filesystem::path& folder,
                                                        const std::filesystem::path& sockets,
                                                        Specification specification, Clock clock);
  // Removes what an open() that failed has made of an environment that is new; the same arguments.
  static base::Result<void> undo_open(isolation::Machine& machine, const std::filesystem::path& folder,
                                      const std::filesystem::path& sockets, Specification specification,
                                      Clock clock);
  // Forgets: everything goes on running.
  ~LocalCloud() override;

  cloud::Observed observe() override;
  cloud::Ticket submit(const cloud::Action& action) override;

  // A version that may be launched from now on; again: no effect. Errors: the record cannot be written.
  base::Result<void> define(const Version& version);
  std::vector<Version> versions() const;
  // Forgets those of the service that are neither named nor of an instance. Errors: as define().
  base::Result<void> keep_versions(const std::string& service, const std::set<std::string>& names);

  // Services that are added or changed get a balancer that fits, without a lost request where only servers or
  // checks change. Services that are gone must have no instances any more.
  base::Result<void> change(Specification specification);

  std::vector<Details> details() const;
  std::vector<std::string> cut_zones() const;
  // What hinders it at present, in sentences: a balancer that does not start, a disk that is full.
  std::vector<std::string> hindrances() const;

  // Drills, which end by themselves at `until`, also where this process does not live to see it; now or
  // earlier: they end at once. An instance that is removed meanwhile takes its trouble with it.
  base::Result<void> cut_zone(const std::string& zone, base::Milliseconds until);
  base::Result<void> trouble(const std::string& instance, Trouble trouble, base::Milliseconds until);

  // Ends everything and removes every trace but volumes; those too where `volumes`. The object is of no use
  // afterwards. Errors: what could not be removed; called again, it goes on.
  base::Result<void> remove(bool volumes);

 private:
  class Worker;
  explicit LocalCloud(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace headroom::cloud_local
