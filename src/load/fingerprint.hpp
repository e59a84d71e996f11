// Fingerprint: whether two load tests drove the same traffic, without keeping what they sent.
#pragma once

#include <string>

#include "load/job.hpp"
#include "workload/traffic.hpp"

namespace headroom::load {

// The same for jobs that are to send the same requests at the same times, together or each its share: not of
// the address, the connections, the share. Values of headers are left out, for each machine may have a
// password of its own, and so nobody can guess them from it. Hexadecimal digits.
std::string fingerprint(const workload::Traffic& traffic, const Job& job);

}  // namespace headroom::load
