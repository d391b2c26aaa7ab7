"""Hide, focus, collapse, merged recursion, order: with real clicks and keys, held against Python."""


def edited(look, change):
    """Fold the input anew, each stack's frames changed by a plain-Python twin; None leaves the stack out."""
    out = {}
    for stack, weight in look.lines.items():
        frames = change(stack.split(";"))
        if frames is not None:
            out[";".join(frames)] = out.get(";".join(frames), 0) + weight
    return out


def merged(frames):
    out = []
    for frame in frames:
        if frame in out:
            del out[out.index(frame) + 1 :]
        else:
            out.append(frame)
    return out


def test_hide_focus_and_collapse_are_those_of_python_and_can_be_undone(tab, look):
    look.right_click(tab, "parse", "Hide its frames")
    look.until(tab, "kflame.state.hide.length === 1")
    hidden = edited(look, lambda frames: [f for f in frames if f != "parse"])
    assert look.folded(tab) == hidden
    tab.keyboard.press("u")
    look.until(tab, "kflame.state.hide.length === 0")
    assert look.folded(tab) == look.lines
    look.right_click(tab, "parse", "Only stacks with it")
    look.until(tab, "kflame.state.focus === 'parse'")
    assert look.folded(tab) == edited(look, lambda f: f[f.index("parse") :] if "parse" in f else None)
    tab.get_by_text("only below parse").click()
    look.until(tab, "kflame.state.focus === ''")
    look.right_click(tab, "alloc", "Collapse what it calls")
    look.until(tab, "kflame.state.collapse.length === 1")
    assert look.folded(tab) == edited(look, lambda f: f[: f.index("alloc") + 1] if "alloc" in f else f)
    tab.go_back()
    look.until(tab, "kflame.state.collapse.length === 0")
    assert look.folded(tab) == look.lines


def test_merged_recursion_and_heavy_order(tab, look):
    tab.keyboard.press("r")
    look.until(tab, "kflame.state.merge")
    assert look.folded(tab) == edited(look, merged)
    tab.keyboard.press("r")
    tab.keyboard.press("o")
    look.until(tab, "kflame.state.order === 'heavy'")
    assert look.folded(tab) == look.lines
    below = """() => { const t = kflame.tree, out = [];
      for (let c = 1; c < t.n; c += t.size[c]) out.push(t.total[c]); return out; }"""
    assert tab.evaluate(below) == [1000, 400]
