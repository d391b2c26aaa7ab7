"""Field numbers of pprof's `profile.proto`.

Source: https://github.com/google/pprof/blob/main/proto/profile.proto. A message is a run of fields; a field
is a number and a wire type, then its value; text is a row of the string table.
"""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# Profile
SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING_TABLE = 1, 2, 3, 4, 5, 6
TIME_NANOS, DURATION_NANOS, PERIOD_TYPE, PERIOD, COMMENT = 9, 10, 11, 12, 13
PROFILE_FIELDS = frozenset(range(1, 16))

# ValueType
VALUE_TYPE, VALUE_UNIT = 1, 2

# Sample
SAMPLE_LOCATION_ID, SAMPLE_VALUE, SAMPLE_LABEL = 1, 2, 3

# Label
LABEL_KEY, LABEL_STR, LABEL_NUM, LABEL_NUM_UNIT = 1, 2, 3, 4

# Mapping
MAPPING_ID, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET, MAPPING_FILENAME, MAPPING_BUILD_ID = (
    1,
    2,
    3,
    4,
    5,
    6,
)
# Flags that say that nothing is left to symbolise.
MAPPING_HAS = (7, 8, 9, 10)

# Location
LOCATION_ID, LOCATION_MAPPING_ID, LOCATION_ADDRESS, LOCATION_LINE = 1, 2, 3, 4

# Line
LINE_FUNCTION_ID, LINE_LINE = 1, 2

# Function
FUNCTION_ID, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILENAME = 1, 2, 3, 4

# Labels that kprof writes, and their columns of `Samples`. Go's pprof calls a thread's name as it likes.
LABELS = {
    "comm": "comm",
    "pid": "pid",
    "tid": "tid",
    "cpu": "cpu",
    "cgroup": "cgroup",
    "timestamp_ns": "time_ns",
}
UNITS = {"ns": "nanoseconds", "bytes": "bytes"}
