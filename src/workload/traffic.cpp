#include "workload/traffic.hpp"
