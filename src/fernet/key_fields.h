// The managed fields that hold the keys of encrypted fields.
#pragma once

namespace qarion::secrets::fernet {

inline constexpr char kCurrentKeyField[] = "INSTANCE_ENCRYPTION_KEY";
inline constexpr char kPreviousKeyField[] = "INSTANCE_ENCRYPTION_KEY_PREVIOUS";

}  // namespace qarion::secrets::fernet
