// Standard input, output and error as a program finds them.
#pragma once

namespace qarion::secrets::cli {

// Takes the number of every standard stream that is closed, so that no other descriptor gets it; a
// new program finds it closed again. To be called before anything is opened.
void HoldClosedStandardStreams();

}  // namespace qarion::secrets::cli
