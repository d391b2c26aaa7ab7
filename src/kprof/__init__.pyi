from kprof.api import FlameGraph as FlameGraph
from kprof.api import ProfileView as ProfileView
from kprof.api import read as read
