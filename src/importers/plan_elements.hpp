// PlanElements: which kinds of elements of a test plan are known; internal to this module.
#pragma once

#include "importers/plan_document.hpp"

namespace headroom::importers {

// An HTTP request.
bool is_sampler(const Element& element);
// Holds others, and says how often and in which order they are sent.
bool is_controller(const Element& element);
bool is_timer(const Element& element);
// What HTTP requests have where they say nothing themselves.
bool is_defaults(const Element& element);
// What acts on others rather than by itself; Scope and the variables hold it.
bool is_of_scope(const Element& element);

}  // namespace headroom::importers
