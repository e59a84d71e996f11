#include "sim/rehearsal.hpp"
