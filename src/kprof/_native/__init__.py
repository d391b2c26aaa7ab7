"""Hot loops on buffers: a C core that also builds alone, and thin Cython over it."""
