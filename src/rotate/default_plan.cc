#include "rotate/default_plan.h"

#include "rotate/default_plan_text.h"

namespace qarion::secrets::rotate {

std::string_view DefaultPlan() noexcept { return kDefaultPlanText; }

}  // namespace qarion::secrets::rotate
