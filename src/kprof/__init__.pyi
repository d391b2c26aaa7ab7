from kprof.api import DiffView as DiffView
from kprof.api import FlameGraph as FlameGraph
from kprof.api import ProfileView as ProfileView
from kprof.api import diff as diff
from kprof.api import read as read
from kprof.api import record as record
from kprof.api.notebook import load_ipython_extension as load_ipython_extension
