"""Work items: what orders ask people to do, who has it, and what came of it."""
