#include "telemetry/series.hpp"
