"""How long a new kind of abuse stays unseen, by where one looks: a closed loop on the simulator."""
