def members(*a, **k): raise NotImplementedError
def unpack_member(*a, **k): raise NotImplementedError
def member_head(*a, **k): raise NotImplementedError
