// What the rotation commands say, for people.
#pragma once

#include <string>
#include <vector>

#include "cli/rotation_step.h"
#include "qarion/secrets/rotation.h"

namespace qarion::secrets::cli {

// A line for each column of the plan, under a heading.
std::string CountsText(const std::vector<RotationCounts>& columns);

std::string ReportText(const RotationReport& report);
std::string VerificationText(const VerificationReport& report);
std::string StatusText(const RotationStatus& status, const BackendKeys& keys,
                       const RotationStep& step);

// One line: "public.instances id=17, database_url: signed with none of the keys".
std::string ProblemText(const RotationProblem& problem);

}  // namespace qarion::secrets::cli
