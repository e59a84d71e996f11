// Compiled once per instruction set; Highway chooses among them at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/many_lanes.cpp"
#include <hwy/foreach_target.h>

#include "sim/lane_engine-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace headroom::sim::HWY_NAMESPACE {

// No std here: see base/lanes-inl.hpp. A vector is stored to plain memory to get at its lanes.
inline constexpr int kMaxLanes = HWY_MAX_BYTES / 4;

template <class Vector>
HWY_INLINE void add_up(const Vector& vector, std::int64_t Tally::*field, Tally* tallies, int lanes) {
  std::int32_t values[kMaxLanes] = {};
  __builtin_memcpy(values, &vector, sizeof(vector));
  for (int i = 0; i < lanes; ++i) tallies[i].*field += values[i];
}

// One vector of lanes. `lanes` of them are asked for, the others repeat the last.
HWY_ATTR void run_vector(const LaneModel& model, const policy::Numbers<base::One>* numbers, int lanes,
                         const LaneTraffic& traffic, Workspace<bl::Many>& work, Tally* tallies,
                         std::int32_t* in_service) {
  const int width = bl::Many::width();
  for (int i = 0; i < width; ++i) {
    const policy::Numbers<base::One>& one = numbers[i < lanes ? i : lanes - 1];
    policy::for_each_number(model.policy, work.numbers, one, [i](auto& many, const auto& single) {
      static_assert(sizeof(single) == 4);
      __builtin_memcpy(reinterpret_cast<unsigned char*>(&many) + 4 * i, &single, 4);
    });
  }
  const auto ticks = static_cast<std::int64_t>(traffic.requests_per_second.size());
  const auto record = [&](std::int32_t tick, const bl::FloatLanes&, const fleet::Counts<bl::Many>& counts,
                          const auto&, const auto&) HWY_ATTR {
    if (in_service == nullptr) return;
    std::int32_t values[kMaxLanes] = {};
    __builtin_memcpy(values, &counts.in_service, sizeof(counts.in_service));
    for (int i = 0; i < lanes; ++i) in_service[i * ticks + tick] = values[i];
  };
  const auto flush = [&](const Sums<bl::Many>& sums) HWY_ATTR {
    add_up(sums.in_service, &Tally::in_service_ticks, tallies, lanes);
    add_up(sums.launching, &Tally::launching_ticks, tallies, lanes);
    add_up(sums.draining, &Tally::draining_ticks, tallies, lanes);
    add_up(sums.violations_low, &Tally::violations_low, tallies, lanes);
    add_up(sums.violations_high, &Tally::violations_high, tallies, lanes);
    add_up(sums.downtime, &Tally::downtime_ticks, tallies, lanes);
    add_up(sums.outs, &Tally::scale_outs, tallies, lanes);
    add_up(sums.ins, &Tally::scale_ins, tallies, lanes);
    add_up(sums.at_max, &Tally::ticks_at_max, tallies, lanes);
    add_up(sums.at_min, &Tally::ticks_at_min, tallies, lanes);
    std::int32_t most[kMaxLanes] = {};
    float cpu_max[kMaxLanes] = {};
    float cpu[kMaxLanes] = {};
    float failed[kMaxLanes] = {};
    __builtin_memcpy(most, &sums.instances_max, sizeof(sums.instances_max));
    __builtin_memcpy(cpu_max, &sums.cpu_max, sizeof(sums.cpu_max));
    __builtin_memcpy(cpu, &sums.cpu, sizeof(sums.cpu));
    __builtin_memcpy(failed, &sums.failed, sizeof(sums.failed));
    for (int i = 0; i < lanes; ++i) {
      tallies[i].instances_max = most[i];
      tallies[i].cpu_percent_max = cpu_max[i];
      tallies[i].cpu_percent_sum += static_cast<double>(cpu[i]);
      tallies[i].failed_sum += static_cast<double>(failed[i]);
    }
  };
  run<bl::Many>(model, traffic, work, record, flush);
}

HWY_ATTR void run_batch(const LaneModel& model, const policy::Numbers<base::One>* numbers, std::int64_t count,
                        const LaneTraffic& traffic, void* workspace, Tally* tallies,
                        std::int32_t* in_service) {
  auto& work = *static_cast<Workspace<bl::Many>*>(workspace);
  const int width = bl::Many::width();
  const auto ticks = static_cast<std::int64_t>(traffic.requests_per_second.size());
  for (std::int64_t i = 0; i < count; i += width) {
    const int lanes = count - i < width ? static_cast<int>(count - i) : width;
    run_vector(model, numbers + i, lanes, traffic, work, tallies + i,
               in_service == nullptr ? nullptr : in_service + i * ticks);
  }
}

std::int64_t workspace_bytes() { return sizeof(Workspace<bl::Many>); }
int width() { return bl::Many::width(); }

}  // namespace headroom::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <hwy/aligned_allocator.h>

namespace headroom::sim {

HWY_EXPORT(run_batch);
HWY_EXPORT(workspace_bytes);
HWY_EXPORT(width);

void run_many_lanes(const LaneModel& model, std::span<const policy::Numbers<base::One>> numbers,
                    const LaneTraffic& traffic, std::span<Tally> tallies,
                    std::span<std::int32_t> in_service) {
  const auto bytes = static_cast<std::size_t>(HWY_DYNAMIC_DISPATCH(workspace_bytes)());
  const auto workspace = hwy::AllocateAligned<std::uint8_t>(bytes);
  for (Tally& tally : tallies) tally = Tally{};
  HWY_DYNAMIC_DISPATCH(run_batch)
  (model, numbers.data(), static_cast<std::int64_t>(numbers.size()), traffic, workspace.get(), tallies.data(),
   in_service.empty() ? nullptr : in_service.data());
}

int lanes_per_vector() { return HWY_DYNAMIC_DISPATCH(width)(); }

}  // namespace headroom::sim
#endif
