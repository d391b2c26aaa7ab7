"""kprof: from "it is slow" to "this function is why"."""
