"""Charts as plain shapes. Only the template turns them into SVG, so that every text goes through its escaping."""
