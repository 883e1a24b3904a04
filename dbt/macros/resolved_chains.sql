{# Follows `next` from each node to the end of its chain. Self-links and links to nothing must be null already.
   In a cycle the link of the smallest node is cut, so that each chain ends. Columns: node, root, chain_depth,
   is_cut. Chains of more than 64 links end there. #}
{% macro resolved_chains(relation) -%}
    {#- a key that holds the mark of the path would pass for another one -#}
    {%- set step = "concat('|', replace(replace(cast(links.next_node as string), '^', '^0'), '|', '^1'), '|')" %}
    with recursive links as (
        select
            node,
            next_node
        from {{ relation }}
    ),

    reached as (
        select
            links.node,
            links.next_node as ancestor,
            {{ step }} as path,
            1 as depth
        from links
        where links.next_node is not null
        union all
        select
            reached.node,
            links.next_node as ancestor,
            concat(reached.path, substring({{ step }}, 2)) as path,
            reached.depth + 1 as depth
        from reached
        inner join links on reached.ancestor = links.node
        where
            links.next_node is not null
            and reached.ancestor <> reached.node
            -- what leads into a cycle goes around it once: each round is a job of its own on Spark
            and position({{ step }} in reached.path) = 0
            and reached.depth < 64
    ),

    cycles as (
        select
            reached.node,
            min(reached.ancestor) as smallest
        from reached
        group by reached.node
        having max(case when reached.ancestor = reached.node then 1 else 0 end) = 1
    ),

    -- one recursion, not a second one over cut links: Spark would follow the first anew in each round of it
    steps as (
        select
            links.node,
            links.node as ancestor,
            links.next_node,
            0 as depth
        from links
        union all
        select
            reached.node,
            reached.ancestor,
            null as next_node,
            reached.depth
        from reached
    ),

    marked as (
        select
            steps.node,
            steps.ancestor,
            steps.next_node,
            steps.depth,
            case when cycles.node is not null then steps.depth end as cut_depth
        from steps
        left join cycles on steps.ancestor = cycles.node and steps.ancestor = cycles.smallest
    )

    select
        marked.node,
        coalesce(min_by(marked.ancestor, marked.cut_depth), max_by(marked.ancestor, marked.depth)) as root,
        coalesce(min(marked.cut_depth), max(marked.depth)) as chain_depth,
        case when coalesce(min(marked.cut_depth), 1) > 0 then max(marked.next_node) end as next_node,
        coalesce(min(marked.cut_depth), 1) = 0 as is_cut
    from marked
    group by marked.node
{%- endmacro %}
